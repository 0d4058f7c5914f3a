# Without an account: what the module would make, with made-up answers of AWS.
mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-north-1" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
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
  command = apply
  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.store.rule).bucket_key_enabled && one(one(aws_s3_bucket_server_side_encryption_configuration.store.rule).apply_server_side_encryption_by_default).kms_master_key_id == aws_kms_key.objects.arn
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

run "roles" {
  command = apply
  assert {
    condition     = alltrue([for name in ["evaluate", "gate", "reevaluate"] : !strcontains(aws_iam_role_policy.door[name].policy, "GetWebIdentityToken") && !strcontains(aws_iam_role_policy.door[name].policy, "secretsmanager")])
    error_message = "only collect and apply obtain an identity for Entra"
  }
  assert {
    condition     = !strcontains(aws_iam_role_policy.door["collect"].policy, "ledger") && !strcontains(aws_iam_role_policy.door["evaluate"].policy, "ledger")
    error_message = "who reads and who decides has no key of the ledger"
  }
  assert {
    condition     = length(aws_iam_role.relay) == 0
    error_message = "without a CA bundle the relay has no role"
  }
}

run "certificates" {
  command = apply
  variables {
    entra_auth        = "certificate"
    read_certificate  = "arn:aws:secretsmanager:eu-north-1:123456789012:secret:read"
    write_certificate = "arn:aws:secretsmanager:eu-north-1:123456789012:secret:write"
    relay_ca_bundle   = "-----BEGIN CERTIFICATE-----"
  }
  assert {
    condition     = strcontains(aws_iam_role_policy.door["collect"].policy, "secret:read") && !strcontains(aws_iam_role_policy.door["collect"].policy, "secret:write") && strcontains(aws_iam_role_policy.door["apply"].policy, "secret:write")
    error_message = "each function reads its own certificate only"
  }
  assert {
    condition     = length(aws_iam_role.relay) == 1 && strcontains(aws_iam_role.relay[0].assume_role_policy, "rolesanywhere.amazonaws.com")
    error_message = "the relay's role is for Roles Anywhere"
  }
}

run "definition" {
  command = apply
  assert {
    condition     = !strcontains(aws_sfn_state_machine.run.definition, "$${") && strcontains(aws_sfn_state_machine.run.definition, "waitForTaskToken")
    error_message = "every substitution of the definition is given"
  }
}
