# The rights of people. Each of the policies viewer, planner and approver is complete on its own; a person needs only one.
locals {
  looking = [
    { Effect = "Allow", Action = ["s3:GetObject"], Resource = ["${local.objects}/policy.yaml", "${local.objects}/runs/*", "${local.objects}/history/*", "${local.objects}/ledger/*"] },
    local.seeing,
    local.reading,
    { Effect = "Allow", Action = ["states:DescribeExecution", "states:GetExecutionHistory"], Resource = [for e in ["plan", "nightly", "approve", "override", "restore"] : "${local.executions[e]}:*"] },
  ]
  people = {
    viewer = local.looking
    planner = concat(local.looking, [
      { Effect = "Allow", Action = ["states:StartExecution"], Resource = [local.machines.plan] },
      { Effect = "Allow", Action = ["lambda:InvokeFunction"], Resource = [aws_lambda_function.function["reevaluate"].arn] },
    ])
    approver = concat(local.looking, [
      { Effect = "Allow", Action = ["states:StartExecution"], Resource = [local.machines.plan, local.machines.approve, local.machines.override, local.machines.restore] },
      { Effect = "Allow", Action = ["lambda:InvokeFunction"], Resource = [for name in ["reevaluate", "reevaluate-apply"] : aws_lambda_function.function[name].arn] },
    ])
    # What idleseat doctor reads of a deployment, besides what it reads on the operator's machine. It holds the addresses
    # of the people who get the notices, so no other policy includes it.
    doctor = [
      { Effect = "Allow", Action = ["scheduler:GetSchedule"], Resource = ["arn:${data.aws_partition.current.partition}:scheduler:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:schedule/default/${local.entrances.nightly}"] },
      { Effect = "Allow", Action = ["sns:ListSubscriptionsByTopic"], Resource = [aws_sns_topic.notices.arn] },
      { Effect = "Allow", Action = ["sqs:GetQueueUrl", "sqs:GetQueueAttributes"], Resource = concat([for name in ["read", "write"] : aws_sqs_queue.relay[name].arn], [for name in ["read", "write"] : aws_sqs_queue.dead[name].arn]) },
      { Effect = "Allow", Action = ["states:ListExecutions"], Resource = [local.machines.nightly] },
      { Effect = "Allow", Action = ["states:DescribeExecution"], Resource = ["${local.executions.nightly}:*"] },
    ]
    policy = [
      { Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject"], Resource = ["${local.objects}/policy.yaml"] },
      local.writing,
    ]
  }
}

resource "aws_iam_policy" "people" {
  for_each    = { viewer = "Read plans, changes and executions.", planner = "Plan, and look at one person; change nothing.", approver = "Plan, approve, override limits and restore.", doctor = "Examine the schedule, the notices, the queues and the last night." }
  name        = "${local.global}-${each.key}"
  description = each.value
  policy      = jsonencode({ Version = "2012-10-17", Statement = local.people[each.key] })
}

# Only this role can write the policy. Allow sts:AssumeRole on it to the people who may edit the policy.
resource "aws_iam_role" "policy" {
  name = "${local.global}-policy"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow", Action = "sts:AssumeRole"
      Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root" }
    }]
  })
}

resource "aws_iam_role_policy" "policy" {
  name   = "policy"
  role   = aws_iam_role.policy.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.people.policy })
}
