# The rights of each role. A test compares this table with template.yaml and with the
# calls of whole runs, so that no right is missing and none is unused.
locals {
  states     = "arn:${data.aws_partition.current.partition}:states:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}"
  machines   = { for entrance, name in local.entrances : entrance => "${local.states}:stateMachine:${name}" }
  executions = { for entrance, name in local.entrances : entrance => "${local.states}:execution:${name}" }

  # Without s3:ListBucket, S3 answers 403 instead of 404 for a missing object.
  seeing  = { Effect = "Allow", Action = ["s3:ListBucket"], Resource = [local.objects] }
  reading = { Effect = "Allow", Action = ["kms:Decrypt"], Resource = [local.key] }
  writing = { Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = [local.key] }

  token = {
    Effect   = "Allow"
    Action   = ["sts:GetWebIdentityToken"]
    Resource = ["*"]
    Condition = {
      "ForAllValues:StringEquals" = { "sts:IdentityTokenAudience" = ["api://AzureADTokenExchange"] }
      Null                        = { "sts:IdentityTokenAudience" = "false" } # ForAllValues conditions are also true when the key is absent
      StringEquals                = { "sts:SigningAlgorithm" = "RS256" }
      NumericLessThanEquals       = { "sts:DurationSeconds" = "60" }
    }
  }
  entra = {
    collect = var.entra_auth == "aws" ? [jsonencode(local.token)] : [jsonencode({ Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = [var.read_certificate] })]
    apply   = var.entra_auth == "aws" ? [jsonencode(local.token)] : [jsonencode({ Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = [var.write_certificate] })]
  }
  webhook = {
    gate = [for arn in [var.webhook_secret] : jsonencode({ Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = [arn] }) if arn != ""]
  }

  rights = {
    collect = [
      { Effect = "Allow", Action = ["s3:GetObject"], Resource = ["${local.objects}/policy.yaml", "${local.objects}/runs/*", "${local.objects}/history/*", "${local.objects}/ledger/*"] },
      { Effect = "Allow", Action = ["s3:PutObject"], Resource = ["${local.objects}/runs/*/begin.json", "${local.objects}/runs/*/manifest.json", "${local.objects}/runs/*/entra/*", "${local.objects}/runs/*/ad/*", "${local.objects}/runs/*/people/*", "${local.objects}/runs/*/members/*", "${local.objects}/runs/*/history/*", "${local.objects}/runs/*/mailboxes/*", "${local.objects}/runs/*/usage/*"] },
      local.seeing,
      local.writing,
    ]
    evaluate = [
      { Effect = "Allow", Action = ["s3:GetObject"], Resource = ["${local.objects}/runs/*"] },
      { Effect = "Allow", Action = ["s3:PutObject"], Resource = ["${local.objects}/runs/*/known/*", "${local.objects}/runs/*/decisions/*"] },
      local.seeing,
      local.writing,
    ]
    gate = [
      { Effect = "Allow", Action = ["s3:GetObject"], Resource = ["${local.objects}/policy.yaml", "${local.objects}/runs/*", "${local.objects}/history/*", "${local.objects}/ledger/*"] },
      { Effect = "Allow", Action = ["s3:PutObject"], Resource = ["${local.objects}/runs/*/begin.json", "${local.objects}/runs/*/manifest.json", "${local.objects}/runs/*/plan.json", "${local.objects}/runs/*/changes.csv", "${local.objects}/runs/*/report.html", "${local.objects}/runs/*/point.json", "${local.objects}/runs/*/results/*", "${local.objects}/history/plans/*", "${local.objects}/history/others/*", "${local.objects}/history/withdrawn/*"] },
      local.seeing,
      local.writing,
    ]
    apply = [
      { Effect = "Allow", Action = ["s3:GetObject"], Resource = ["${local.objects}/policy.yaml", "${local.objects}/runs/*", "${local.objects}/history/*", "${local.objects}/ledger/*"] },
      { Effect = "Allow", Action = ["s3:PutObject"], Resource = ["${local.objects}/runs/*/results/*", "${local.objects}/runs/*/ad/input/*", "${local.objects}/history/overrides/*", "${local.objects}/ledger/*"] },
      local.seeing,
      local.writing,
    ]
    reevaluate = [
      { Effect = "Allow", Action = ["s3:GetObject"], Resource = ["${local.objects}/runs/*", "${local.objects}/ledger/*"] },
      local.seeing,
      local.reading,
      { Effect = "Allow", Action = ["states:StartExecution"], Resource = [local.machines.plan] },
      { Effect = "Allow", Action = ["states:DescribeExecution"], Resource = ["${local.executions.plan}:*"] },
    ]
    reevaluate-apply = [
      { Effect = "Allow", Action = ["s3:GetObject"], Resource = ["${local.objects}/runs/*", "${local.objects}/ledger/*"] },
      local.seeing,
      local.reading,
      { Effect = "Allow", Action = ["states:StartExecution"], Resource = [local.machines.approve] },
      { Effect = "Allow", Action = ["states:DescribeExecution"], Resource = ["${local.executions.approve}:*"] },
    ]
    machine = [
      { Effect = "Allow", Action = ["lambda:InvokeFunction"], Resource = [for name in ["collect", "evaluate", "gate", "apply"] : "${aws_lambda_function.function[name].arn}:*"] },
      { Effect = "Allow", Action = ["sqs:SendMessage"], Resource = [for name in ["read", "write"] : aws_sqs_queue.relay[name].arn] },
      { Effect = "Allow", Action = ["sns:Publish"], Resource = [aws_sns_topic.notices.arn] },
      local.writing, # SNS encrypts the notices with the machine's rights
      # The Distributed Map starts its child executions on the same machine.
      { Effect = "Allow", Action = ["states:StartExecution"], Resource = [local.machines.plan, local.machines.nightly, local.machines.approve] },
      { Effect = "Allow", Action = ["states:DescribeExecution", "states:StopExecution"], Resource = flatten([for entrance in ["plan", "nightly", "approve"] : ["${local.executions[entrance]}:*", "${local.executions[entrance]}/*"]]) },
      # Log delivery belongs to the account, so these actions have no resource.
      { Effect = "Allow", Action = ["logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups"], Resource = ["*"] },
    ]
    schedule = [
      { Effect = "Allow", Action = ["states:StartExecution"], Resource = [local.machines.nightly] },
    ]
    relay = [
      { Effect = "Allow", Action = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"], Resource = [for name in ["read", "write"] : aws_sqs_queue.relay[name].arn] },
      # The task token identifies the task, so these actions have no resource.
      { Effect = "Allow", Action = ["states:SendTaskSuccess", "states:SendTaskFailure", "states:SendTaskHeartbeat"], Resource = ["*"] },
      { Effect = "Allow", Action = ["s3:GetObject"], Resource = ["${local.objects}/runs/*/ad/*"] },
      { Effect = "Allow", Action = ["s3:PutObject"], Resource = ["${local.objects}/runs/*/ad/*"] },
      local.seeing,
      local.writing,
    ]
  }
}

resource "aws_iam_role" "function" {
  for_each = local.functions
  name     = "${local.global}-${each.key}"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "function" {
  for_each = local.functions
  name     = each.key
  role     = aws_iam_role.function[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [jsondecode(jsonencode({ Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["${aws_cloudwatch_log_group.function[each.key].arn}:*"] }))],
      [for s in local.rights[each.key] : jsondecode(jsonencode(s))],
      [for s in lookup(local.entra, each.key, []) : jsondecode(s)],
      [for s in lookup(local.webhook, each.key, []) : jsondecode(s)],
    )
  })
}

resource "aws_iam_role" "machine" {
  name = "${local.global}-machine"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "states.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "machine" {
  name   = "machine"
  role   = aws_iam_role.machine.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.rights.machine })
}

resource "aws_iam_role" "schedule" {
  name = "${local.global}-schedule"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow", Principal = { Service = "scheduler.amazonaws.com" }, Action = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "schedule" {
  name   = "schedule"
  role   = aws_iam_role.schedule.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.rights.schedule })
}
