locals {
  # Each entrance is a separate state machine, so IAM can grant planning, approving, overriding and restoring separately.
  # The definitions differ only in the name of the entrance.
  entrances = { plan = var.name, nightly = "${var.name}-nightly", approve = "${var.name}-approve", override = "${var.name}-override", restore = "${var.name}-restore" }

  # Published versions, so a waiting execution continues with the functions it began with.
  substitutions = {
    CollectFunction  = aws_lambda_function.function["collect"].qualified_arn
    EvaluateFunction = aws_lambda_function.function["evaluate"].qualified_arn
    GateFunction     = aws_lambda_function.function["gate"].qualified_arn
    ApplyFunction    = aws_lambda_function.function["apply"].qualified_arn
    ReadQueue        = aws_sqs_queue.relay["read"].url
    WriteQueue       = aws_sqs_queue.relay["write"].url
    NoticeTopic      = aws_sns_topic.notices.arn
    Partition        = data.aws_partition.current.partition
  }
}

resource "aws_cloudwatch_log_group" "machine" {
  name              = "/aws/vendedlogs/states/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_sfn_state_machine" "run" {
  for_each   = local.entrances
  name       = each.value
  type       = "STANDARD"
  role_arn   = aws_iam_role.machine.arn
  definition = templatefile("${path.module}/../statemachine.asl.json", merge(local.substitutions, { Entrance = each.key }))
  # Inputs and outputs are not logged.
  logging_configuration {
    level                  = "ERROR"
    include_execution_data = false
    log_destination        = "${aws_cloudwatch_log_group.machine.arn}:*"
  }
  depends_on = [aws_iam_role_policy.machine]
}

resource "aws_scheduler_schedule" "nightly" {
  name                         = "${var.name}-nightly"
  schedule_expression          = var.schedule_expression
  schedule_expression_timezone = var.schedule_timezone
  state                        = var.schedule_state
  flexible_time_window {
    mode = "OFF"
  }
  target {
    arn      = aws_sfn_state_machine.run["nightly"].arn
    role_arn = aws_iam_role.schedule.arn
    input    = "{}"
    retry_policy {
      maximum_retry_attempts       = 5
      maximum_event_age_in_seconds = 3600
    }
  }
}

moved {
  from = aws_sfn_state_machine.run
  to   = aws_sfn_state_machine.run["plan"]
}
