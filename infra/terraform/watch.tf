# Notices contain figures and run ids, but no people.
resource "aws_sns_topic" "notices" {
  name              = "${var.name}-notices"
  kms_master_key_id = local.key
}

resource "aws_sns_topic_subscription" "notices" {
  count     = var.notice_email == "" ? 0 : 1
  topic_arn = aws_sns_topic.notices.arn
  protocol  = "email"
  endpoint  = var.notice_email
}

locals {
  deployment_dimension = { Deployment = var.name }

  alarms = {
    run-failed       = { text = "An execution failed. Its notice says why, and how to start it again. Without a notice: idleseat doctor --aws ${var.name}", namespace = "AWS/States", metric = "ExecutionsFailed", dimensions = {}, statistic = "Sum", period = 300, periods = 1, threshold = 1, below = false }
    run-timed-out    = { text = "An execution did not end within two days. The next night finishes what it began. To finish it now, approve a new plan: idleseat plan --aws ${var.name}", namespace = "AWS/States", metric = "ExecutionsTimedOut", dimensions = {}, statistic = "Sum", period = 300, periods = 1, threshold = 1, below = false }
    run-held         = { text = "A safety check held a run. Its notice has the reason and the commands.", namespace = "Idleseat", metric = "Held", dimensions = local.deployment_dimension, statistic = "Sum", period = 300, periods = 1, threshold = 1, below = false }
    no-run           = { text = "No nightly run was recorded for ${var.no_run_hours} hours. To see why: idleseat doctor --aws ${var.name}. To start a run: idleseat plan --aws ${var.name}", namespace = "Idleseat", metric = "Night", dimensions = local.deployment_dimension, statistic = "Sum", period = 3600, periods = var.no_run_hours, threshold = 1, below = true }
    feed-unhealthy   = { text = "A source is unhealthy, so its attributes are unknown for everybody. The notice of the run says why. To examine the sources with your own sign-in: idleseat doctor --aws ${var.name}", namespace = "Idleseat", metric = "FeedUnhealthy", dimensions = local.deployment_dimension, statistic = "Sum", period = 300, periods = 1, threshold = 1, below = false }
    relay-read-dead  = { text = "A message failed ten times. On the relay's machine, see why: journalctl -u idleseat-relay --since -1day. Then empty the queue ${var.name}-ad-read-dead.", namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = { QueueName = aws_sqs_queue.dead["read"].name }, statistic = "Maximum", period = 300, periods = 1, threshold = 1, below = false }
    relay-write-dead = { text = "A message failed ten times. On the relay's machine, see why: journalctl -u idleseat-relay --since -1day. Then empty the queue ${var.name}-ad-write-dead.", namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = { QueueName = aws_sqs_queue.dead["write"].name }, statistic = "Maximum", period = 300, periods = 1, threshold = 1, below = false }
  }
}

locals {
  # Metrics of executions are summed over the state machines of all entrances.
  summed = { for name, a in local.alarms : name => a.namespace == "AWS/States" }
}

resource "aws_cloudwatch_metric_alarm" "watch" {
  for_each            = { for name, a in local.alarms : name => a if name != "no-run" || var.schedule_state == "ENABLED" && var.no_run_hours > 0 }
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = local.summed[each.key] ? null : each.value.namespace
  metric_name         = local.summed[each.key] ? null : each.value.metric
  dimensions          = local.summed[each.key] ? null : each.value.dimensions
  statistic           = local.summed[each.key] ? null : each.value.statistic
  period              = local.summed[each.key] ? null : each.value.period
  evaluation_periods  = each.value.periods
  threshold           = each.value.threshold
  comparison_operator = each.value.below ? "LessThanThreshold" : "GreaterThanOrEqualToThreshold"
  # If a metric that must come is missing, the alarm changes to INSUFFICIENT_DATA and notifies.
  # A new deployment begins in that state, so the alarm is silent before the first night.
  treat_missing_data        = each.value.below ? "missing" : "notBreaching"
  alarm_actions             = each.value.below ? [] : [aws_sns_topic.notices.arn]
  insufficient_data_actions = each.value.below ? [aws_sns_topic.notices.arn] : []
  dynamic "metric_query" {
    for_each = local.summed[each.key] ? ["all"] : []
    content {
      id          = "all"
      expression  = "SUM(METRICS())"
      label       = each.value.metric
      return_data = true
    }
  }
  dynamic "metric_query" {
    for_each = local.summed[each.key] ? local.machines : {}
    content {
      id          = metric_query.key
      return_data = false
      metric {
        namespace   = each.value.namespace
        metric_name = each.value.metric
        dimensions  = { StateMachineArn = metric_query.value }
        stat        = each.value.statistic
        period      = each.value.period
      }
    }
  }
}

locals {
  # A relay processes one message at a time, so messages may wait while it reads everybody.
  silent = {
    text       = "A message has waited 15 minutes, and no relay works. On the relay's machine: systemctl status idleseat-relay"
    expression = "IF(working > 0, 0, waiting)"
    period     = 300
    periods    = 3
    threshold  = 1
    metrics = {
      waiting = { metric = "ApproximateNumberOfMessagesVisible", statistic = "Minimum" }
      working = { metric = "ApproximateNumberOfMessagesNotVisible", statistic = "Maximum" }
    }
    queues = { relay-read-silent = aws_sqs_queue.relay["read"].name, relay-write-silent = aws_sqs_queue.relay["write"].name }
  }
}

resource "aws_cloudwatch_metric_alarm" "silent" {
  for_each            = local.silent.queues
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = local.silent.text
  evaluation_periods  = local.silent.periods
  threshold           = local.silent.threshold
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.notices.arn]
  metric_query {
    id          = "silent"
    expression  = local.silent.expression
    return_data = true
  }
  dynamic "metric_query" {
    for_each = local.silent.metrics
    content {
      id          = metric_query.key
      return_data = false
      metric {
        namespace   = "AWS/SQS"
        metric_name = metric_query.value.metric
        dimensions  = { QueueName = each.value }
        stat        = metric_query.value.statistic
        period      = local.silent.period
      }
    }
  }
}

resource "aws_cloudwatch_dashboard" "watch" {
  dashboard_name = local.global
  dashboard_body = jsonencode({
    widgets = [
      { type = "metric", x = 0, y = 0, width = 12, height = 6, properties = {
        title   = "people, verdicts and the largest plan of a day", region = data.aws_region.current.region, stat = "Maximum", period = 86400
        metrics = [["Idleseat", "People", "Deployment", var.name], [".", "Reclaim", ".", "."], [".", "Undecided", ".", "."], [".", "Changes", ".", "."]]
      } },
      { type = "metric", x = 12, y = 0, width = 12, height = 6, properties = {
        title   = "changes that ended, and the most that were pending", region = data.aws_region.current.region, stat = "Sum", period = 86400
        metrics = [["Idleseat", "Done", "Deployment", var.name], [".", "Failed", ".", "."], [".", "Pending", ".", ".", { stat = "Maximum" }]]
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
