# The monitoring controls as a Terraform module has them: a switch, a prefix, one filter and alarm a control.
variable "enabled" {
  type    = bool
  default = true
}

variable "alarm_namespace" {
  type    = string
  default = "CISBenchmark"
}

variable "unauthorized_threshold" {
  default = 1
}

resource "aws_sns_topic" "alarms" {
  count = var.enabled ? 1 : 0
  name  = "CISAlarm"
}

resource "aws_cloudwatch_log_metric_filter" "unauthorized_api_calls" {
  count = var.enabled ? 1 : 0

  name           = "UnauthorizedAPICalls"
  pattern        = "{(($.errorCode=\"*UnauthorizedOperation\") || ($.errorCode=\"AccessDenied*\")) && (($.sourceIPAddress!=\"delivery.logs.amazonaws.com\") && ($.eventName!=\"HeadBucket\"))}"
  log_group_name = aws_cloudwatch_log_group.trail.name

  metric_transformation {
    name      = "UnauthorizedAPICalls"
    namespace = var.alarm_namespace
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "unauthorized_api_calls" {
  count = var.enabled ? 1 : 0

  alarm_name                = "UnauthorizedAPICalls"
  comparison_operator       = "GreaterThanOrEqualToThreshold"
  evaluation_periods        = "1"
  metric_name               = aws_cloudwatch_log_metric_filter.unauthorized_api_calls[0].id
  namespace                 = var.alarm_namespace
  period                    = "300"
  statistic                 = "Sum"
  threshold                 = var.unauthorized_threshold
  alarm_description         = "Unauthorized calls may reveal a stolen key."
  alarm_actions             = [aws_sns_topic.alarms[0].arn]
  treat_missing_data        = "notBreaching"
  insufficient_data_actions = []
}

resource "aws_cloudwatch_log_metric_filter" "console_without_mfa" {
  name           = "NoMFAConsoleSignin"
  pattern        = "{ ($.eventName = \"ConsoleLogin\") && ($.additionalEventData.MFAUsed != \"Yes\") && ($.userIdentity.type = \"IAMUser\") }"
  log_group_name = aws_cloudwatch_log_group.trail.name

  metric_transformation {
    name          = "NoMFAConsoleSignin"
    namespace     = var.alarm_namespace
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "console_without_mfa" {
  alarm_name          = "NoMFAConsoleSignin"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  metric_name         = "NoMFAConsoleSignin"
  namespace           = var.alarm_namespace
  period              = 60
  statistic           = "Maximum"
  threshold           = 0.5
  alarm_actions       = aws_sns_topic.alarms.*.arn
  ok_actions          = aws_sns_topic.alarms[*].arn
}

resource "aws_cloudwatch_log_metric_filter" "route_changes" {
  name           = "RouteTableChanges"
  pattern        = <<EOF
{ ($.eventSource = ec2.amazonaws.com) && ( ($.eventName = CreateRoute) || ($.eventName = DeleteRoute)
  || ($.eventName = %^Replace.*Route%) ) }
EOF
  log_group_name = "trail"

  metric_transformation {
    name      = "RouteTableChanges"
    namespace = var.alarm_namespace
    value     = 1
  }
}

resource "aws_cloudwatch_metric_alarm" "route_changes" {
  alarm_name          = "RouteTableChanges"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  evaluation_periods  = 1
  metric_name         = "RouteTableChanges"
  namespace           = var.alarm_namespace
  period              = 3600
  statistic           = "SampleCount"
  threshold           = 2
  treat_missing_data  = "ignore"
  actions_enabled     = false
  alarm_actions       = ["arn:aws:sns:us-east-1:111122223333:security"]
}
