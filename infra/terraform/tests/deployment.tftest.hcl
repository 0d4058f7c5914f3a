# These tests need no AWS account, because they mock the provider. They only plan,
# because the key and the bucket cannot be destroyed after an apply.
mock_provider "aws" {
  override_during = plan

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-north-1" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-north-1:123456789012:key/k" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::idleseat-123456789012-eu-north-1", id = "idleseat-123456789012-eu-north-1" }
  }
  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:eu-north-1:123456789012:function:f", qualified_arn = "arn:aws:lambda:eu-north-1:123456789012:function:f:1" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-north-1:123456789012:q", url = "https://sqs.eu-north-1.amazonaws.com/123456789012/q" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-north-1:123456789012:idleseat-notices" }
  }
  mock_resource "aws_sfn_state_machine" {
    defaults = { arn = "arn:aws:states:eu-north-1:123456789012:stateMachine:idleseat" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/r" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-north-1:123456789012:log-group:g" }
  }
  mock_resource "aws_rolesanywhere_trust_anchor" {
    defaults = { arn = "arn:aws:rolesanywhere:eu-north-1:123456789012:trust-anchor/a" }
  }
}

variables {
  tenant_id       = "11111111-2222-3333-4444-555555555555"
  read_client_id  = "22222222-2222-3333-4444-555555555555"
  write_client_id = "33333333-2222-3333-4444-555555555555"
}

run "schedule" {
  command = plan
  variables {
    schedule_expression = "rate(12 hours)"
    schedule_timezone   = "Europe/Oslo"
    schedule_state      = "DISABLED"
  }
  assert {
    condition     = aws_scheduler_schedule.nightly.schedule_expression == "rate(12 hours)" && aws_scheduler_schedule.nightly.schedule_expression_timezone == "Europe/Oslo" && aws_scheduler_schedule.nightly.state == "DISABLED"
    error_message = "rate, time zone and off switch are parameters"
  }
}

run "encryption" {
  command = plan
  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.store.rule).bucket_key_enabled && one(one(aws_s3_bucket_server_side_encryption_configuration.store.rule).apply_server_side_encryption_by_default).kms_master_key_id == aws_kms_key.objects[0].arn
    error_message = "objects are encrypted with the deployment's key, by a bucket key"
  }
  assert {
    condition     = aws_s3_bucket_public_access_block.store.block_public_acls && aws_s3_bucket_public_access_block.store.block_public_policy && aws_s3_bucket_public_access_block.store.ignore_public_acls && aws_s3_bucket_public_access_block.store.restrict_public_buckets
    error_message = "nothing is public"
  }
  assert {
    condition     = strcontains(aws_s3_bucket_policy.store.policy, "s3:if-none-match") && strcontains(aws_s3_bucket_policy.store.policy, "aws:SecureTransport")
    error_message = "the ledger is create-only, and all goes over TLS"
  }
  assert {
    condition     = alltrue([for q in aws_sqs_queue.relay : q.sqs_managed_sse_enabled])
    error_message = "messages are encrypted"
  }
}

run "retention" {
  command = plan
  variables {
    run_retention_days    = 30
    ledger_retention_days = 400
  }
  assert {
    condition = { for r in aws_s3_bucket_lifecycle_configuration.store.rule : r.id => [try(r.expiration[0].days, 0), r.noncurrent_version_expiration[0].noncurrent_days]
    if contains(["runs", "history", "ledger", "policy"], r.id) } == { runs = [30, 1], history = [400, 30], ledger = [400, 30], policy = [0, 30] }
    error_message = "what is kept about people goes in its time, earlier versions included"
  }
}

run "roles" {
  command = plan
  assert {
    condition     = alltrue([for name in ["evaluate", "gate", "reevaluate"] : !strcontains(aws_iam_role_policy.function[name].policy, "GetWebIdentityToken") && !strcontains(aws_iam_role_policy.function[name].policy, "secretsmanager")])
    error_message = "only collect and apply obtain an identity for Entra"
  }
  assert {
    condition = !strcontains(aws_iam_role_policy.function["evaluate"].policy, "ledger") && alltrue(flatten([
      for name in ["collect", "gate", "reevaluate"] : [
        for s in jsondecode(aws_iam_role_policy.function[name].policy).Statement : !strcontains(jsonencode(s.Resource), "ledger") if contains(s.Action, "s3:PutObject")
      ]
    ]))
    error_message = "only apply writes the ledger, and who decides does not even read it"
  }
  assert {
    condition     = length(aws_iam_role.relay) == 0
    error_message = "without a CA bundle the relay has no role"
  }
}

run "webhook" {
  command = plan
  variables {
    webhook_secret = "arn:aws:secretsmanager:eu-north-1:123456789012:secret:webhook"
  }
  assert {
    condition = [for name, p in aws_iam_role_policy.function : name if strcontains(p.policy, "secret:webhook")] == ["gate"] && alltrue([
      for s in jsondecode(aws_iam_role_policy.function["gate"].policy).Statement : s.Action == ["secretsmanager:GetSecretValue"] && s.Resource == [var.webhook_secret] if strcontains(jsonencode(s), "secretsmanager")
    ])
    error_message = "only gate reads the address of the webhook, and no other secret"
  }
  assert {
    condition     = aws_lambda_function.function["gate"].environment[0].variables.IDLESEAT_WEBHOOK_SECRET == var.webhook_secret
    error_message = "gate knows the secret by its ARN"
  }
}

run "certificates" {
  command = plan
  variables {
    entra_auth        = "certificate"
    read_certificate  = "arn:aws:secretsmanager:eu-north-1:123456789012:secret:read"
    write_certificate = "arn:aws:secretsmanager:eu-north-1:123456789012:secret:write"
    relay_ca_bundle   = "-----BEGIN CERTIFICATE-----"

    relay_common_names = ["relay1.corp.example"]
  }
  assert {
    condition     = strcontains(aws_iam_role_policy.function["collect"].policy, "secret:read") && !strcontains(aws_iam_role_policy.function["collect"].policy, "secret:write") && strcontains(aws_iam_role_policy.function["apply"].policy, "secret:write")
    error_message = "each function reads its own certificate only"
  }
  assert {
    condition     = length(aws_iam_role.relay) == 1 && strcontains(aws_iam_role.relay[0].assume_role_policy, "rolesanywhere.amazonaws.com")
    error_message = "the relay's role is for Roles Anywhere"
  }
  assert {
    condition = jsondecode(aws_iam_role.relay[0].assume_role_policy).Statement[0].Condition == {
      StringEquals = { "aws:PrincipalTag/x509Subject/CN" = ["relay1.corp.example"] }
      ArnEquals    = { "aws:SourceArn" = aws_rolesanywhere_trust_anchor.relay[0].arn }
    }
    error_message = "no other certificate of the CA is a relay's"
  }
}

run "certificates_are_there" {
  command = plan
  variables {
    entra_auth       = "certificate"
    read_certificate = "arn:aws:secretsmanager:eu-north-1:123456789012:secret:read"
  }
  expect_failures = [var.write_certificate]
}

run "definition" {
  command = plan
  assert {
    condition     = alltrue([for m in aws_sfn_state_machine.run : !strcontains(m.definition, "$${") && strcontains(m.definition, "waitForTaskToken")])
    error_message = "every substitution of the definition is given"
  }
  assert {
    condition     = alltrue([for e, m in aws_sfn_state_machine.run : length(regexall("\"entrance\": \"${e}\"", m.definition)) == 3]) && length(aws_sfn_state_machine.run) == 5
    error_message = "the definition of each entrance has its own name"
  }
  assert {
    condition     = alltrue([for f in aws_lambda_function.function : f.publish])
    error_message = "executions call published versions"
  }
  assert {
    condition     = local.summed["run-failed"] && local.summed["run-timed-out"] && length(local.machines) == 5
    error_message = "an alarm watches the executions of every entrance"
  }
}

run "policy" {
  command = plan
  variables {
    policy_file = "../policy.yaml"
  }
  expect_failures = [var.policy_writers]
}

run "kept" {
  command = plan
  variables {
    existing_key = "arn:aws:kms:eu-north-1:123456789012:key/earlier"
  }
  assert {
    condition     = length(aws_s3_bucket.store) == 0 && length(aws_kms_key.objects) == 0
    error_message = "a kept bucket and key are not made again"
  }
  assert {
    condition     = aws_s3_bucket_versioning.store.bucket == "idleseat-123456789012-eu-north-1" && output.key == "arn:aws:kms:eu-north-1:123456789012:key/earlier"
    error_message = "the kept bucket is the one of this name"
  }
}

run "capitals" {
  command = plan
  variables {
    name = "IdleSeat"
  }
  expect_failures = [var.name]
}

run "notices" {
  command = plan
  variables {
    notice_email = "licenses@contoso.example"
  }
  assert {
    condition     = aws_sns_topic.notices.kms_master_key_id == aws_kms_key.objects[0].arn && strcontains(aws_kms_key.objects[0].policy, "cloudwatch.amazonaws.com")
    error_message = "the topic is encrypted with the deployment's key, which alarms may use"
  }
  assert {
    condition     = length(aws_sns_topic_subscription.notices) == 1 && aws_sns_topic_subscription.notices[0].endpoint == "licenses@contoso.example" && aws_sns_topic_subscription.notices[0].protocol == "email"
    error_message = "the address gets the notices"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.watch["no-run"].treat_missing_data == "missing" && length(aws_cloudwatch_metric_alarm.watch["no-run"].insufficient_data_actions) == 1 && length(aws_cloudwatch_metric_alarm.silent) == 2
    error_message = "a night that does not come is told, and so is a silent relay"
  }
}

run "rare_schedule" {
  command = plan
  variables {
    schedule_expression = "cron(0 2 ? * MON-FRI *)"
    no_run_hours        = 74
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.watch["no-run"].evaluation_periods == 74 && aws_cloudwatch_metric_alarm.watch["no-run"].period == 3600 && strcontains(aws_cloudwatch_metric_alarm.watch["no-run"].alarm_description, "74 hours")
    error_message = "a night of Monday may come 72 hours after that of Friday"
  }
}

run "rarer_than_the_alarm" {
  command = plan
  variables {
    schedule_expression = "cron(0 2 1 * ? *)"
    no_run_hours        = 0
  }
  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.watch), "no-run")
    error_message = "an alarm that would always notify is left out"
  }
}

run "longer_than_cloudwatch_looks_back" {
  command = plan
  variables {
    no_run_hours = 169
  }
  expect_failures = [var.no_run_hours]
}

run "no_schedule" {
  command = plan
  variables {
    schedule_state = "DISABLED"
  }
  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.watch), "no-run") && length(aws_sns_topic_subscription.notices) == 0
    error_message = "without a schedule no night is missed, and without an address nobody is subscribed"
  }
}
