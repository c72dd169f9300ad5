# Metric filters and alarms as many teams have them; `trailsieve import terraform` makes rules of them.
variable "namespace" {
  default = "LogMetrics"
}

locals {
  controls = {
    unauthorized-calls = {
      pattern   = "{ ($.errorCode = \"*UnauthorizedOperation\") || ($.errorCode = \"AccessDenied*\") }"
      threshold = 5
      periods   = 3
    }
    root-usage = {
      pattern   = "{ $.userIdentity.type = \"Root\" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != \"AwsServiceEvent\" }"
      threshold = 1
      periods   = 1
    }
    trail-changes = {
      pattern   = <<-EOT
        { ($.eventName = StopLogging) ||
          ($.eventName = DeleteTrail) || ($.eventName = UpdateTrail) }
      EOT
      threshold = 1
      periods   = 1
    }
  }
}

resource "aws_sns_topic" "security" {
  name = "security"
}

resource "aws_cloudwatch_log_metric_filter" "this" {
  for_each       = local.controls
  name           = each.key
  log_group_name = "cloudtrail/events"
  pattern        = each.value.pattern
  metric_transformation {
    name      = "${each.key}-count"
    namespace = var.namespace
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.controls
  alarm_name          = "${each.key}-alarm"
  alarm_description   = "Control ${each.key}"
  metric_name         = aws_cloudwatch_log_metric_filter.this[each.key].metric_transformation[0].name
  namespace           = var.namespace
  statistic           = "Sum"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  period              = 300
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = max(1, each.value.periods - 1)
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.security.arn]
}
