# Notices hold counts and ids of runs, and never people, so the topic needs no key.
# CloudWatch could not send alarms to a topic with a key.
resource "aws_sns_topic" "notices" {
  name = "${var.name}-notices"
}

locals {
  machine_dimension    = { StateMachineArn = aws_sfn_state_machine.run.arn }
  deployment_dimension = { Deployment = var.name }

  alarms = {
    run-failed         = { text = "A run failed; its execution says why.", namespace = "AWS/States", metric = "ExecutionsFailed", dimensions = local.machine_dimension, statistic = "Sum", period = 300, periods = 1, threshold = 1, below = false }
    run-timed-out      = { text = "A run did not end within its time.", namespace = "AWS/States", metric = "ExecutionsTimedOut", dimensions = local.machine_dimension, statistic = "Sum", period = 300, periods = 1, threshold = 1, below = false }
    run-held           = { text = "A safety check held a run; look at its plan.", namespace = "Idleseat", metric = "Held", dimensions = local.deployment_dimension, statistic = "Sum", period = 300, periods = 1, threshold = 1, below = false }
    no-run             = { text = "No run ended for 26 hours.", namespace = "Idleseat", metric = "RunEnded", dimensions = local.deployment_dimension, statistic = "Sum", period = 3600, periods = 26, threshold = 1, below = true }
    feed-unhealthy     = { text = "A source is unhealthy; its attributes are unknown.", namespace = "Idleseat", metric = "FeedUnhealthy", dimensions = local.deployment_dimension, statistic = "Sum", period = 300, periods = 1, threshold = 1, below = false }
    relay-read-silent  = { text = "A message waits for the relay for a quarter of an hour; is it running?", namespace = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", dimensions = { QueueName = aws_sqs_queue.relay["read"].name }, statistic = "Maximum", period = 300, periods = 1, threshold = 900, below = false }
    relay-write-silent = { text = "A message waits for the relay for a quarter of an hour; is it running?", namespace = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", dimensions = { QueueName = aws_sqs_queue.relay["write"].name }, statistic = "Maximum", period = 300, periods = 1, threshold = 900, below = false }
    relay-read-dead    = { text = "A message could not be worked on ten times; look at it in the dead-letter queue.", namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = { QueueName = aws_sqs_queue.dead["read"].name }, statistic = "Maximum", period = 300, periods = 1, threshold = 1, below = false }
    relay-write-dead   = { text = "A message could not be worked on ten times; look at it in the dead-letter queue.", namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = { QueueName = aws_sqs_queue.dead["write"].name }, statistic = "Maximum", period = 300, periods = 1, threshold = 1, below = false }
  }
}

resource "aws_cloudwatch_metric_alarm" "watch" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = each.value.period
  evaluation_periods  = each.value.periods
  threshold           = each.value.threshold
  comparison_operator = each.value.below ? "LessThanThreshold" : "GreaterThanOrEqualToThreshold"
  treat_missing_data  = each.value.below ? "breaching" : "notBreaching"
  alarm_actions       = [aws_sns_topic.notices.arn]
}

resource "aws_cloudwatch_dashboard" "watch" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [
      { type = "metric", x = 0, y = 0, width = 12, height = 6, properties = {
        title   = "people and verdicts", region = data.aws_region.current.region, stat = "Maximum", period = 86400
        metrics = [["Idleseat", "People", "Deployment", var.name], [".", "Reclaim", ".", "."], [".", "Undecided", ".", "."]]
      } },
      { type = "metric", x = 12, y = 0, width = 12, height = 6, properties = {
        title   = "changes", region = data.aws_region.current.region, stat = "Sum", period = 86400
        metrics = [["Idleseat", "Changes", "Deployment", var.name], [".", "Done", ".", "."], [".", "Pending", ".", "."], [".", "Failed", ".", "."]]
      } },
      { type = "metric", x = 0, y = 6, width = 12, height = 6, properties = {
        title   = "freed a month", region = data.aws_region.current.region, stat = "Sum", period = 86400
        metrics = [["Idleseat", "MonthlySaving", "Deployment", var.name]]
      } },
      { type = "metric", x = 12, y = 6, width = 12, height = 6, properties = {
        title   = "relay: age of the oldest message, in seconds", region = data.aws_region.current.region, stat = "Maximum", period = 300
        metrics = [["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", aws_sqs_queue.relay["read"].name], ["...", aws_sqs_queue.relay["write"].name]]
      } },
    ]
  })
}
