locals {
  substitutions = {
    CollectFunction  = aws_lambda_function.function["collect"].arn
    EvaluateFunction = aws_lambda_function.function["evaluate"].arn
    GateFunction     = aws_lambda_function.function["gate"].arn
    ApplyFunction    = aws_lambda_function.function["apply"].arn
    ReadQueue        = aws_sqs_queue.relay["read"].url
    WriteQueue       = aws_sqs_queue.relay["write"].url
    NoticeTopic      = aws_sns_topic.notices.arn
  }
}

resource "aws_cloudwatch_log_group" "machine" {
  name              = "/aws/vendedlogs/states/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_sfn_state_machine" "run" {
  name       = var.name
  type       = "STANDARD"
  role_arn   = aws_iam_role.machine.arn
  definition = templatefile("${path.module}/../statemachine.asl.json", local.substitutions)
  # The log has no inputs and outputs.
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
    arn      = aws_sfn_state_machine.run.arn
    role_arn = aws_iam_role.schedule.arn
    input    = jsonencode({ scheduled = true })
    retry_policy {
      maximum_retry_attempts       = 5
      maximum_event_age_in_seconds = 3600
    }
  }
}
