"""CloudWatch alarms on event time: datapoints, states and the alerts of their changes."""
