output "key" {
  description = "The key of the bucket. A deployment over a kept bucket needs it."
  value       = local.key
}

output "bucket" {
  description = "Where the policy goes and the runs are kept."
  value       = local.bucket
}

output "state_machine" {
  description = "The entrance of plans; the names of the others begin with its name."
  value       = aws_sfn_state_machine.run["plan"].arn
}

output "reevaluate_function" {
  value = aws_lambda_function.function["reevaluate"].function_name
}

output "reevaluate_apply_function" {
  value = aws_lambda_function.function["reevaluate-apply"].function_name
}

output "policy_role" {
  description = "Only this role writes the policy."
  value       = aws_iam_role.policy.arn
}

output "policies" {
  description = "For people who look, who also plan, and who also approve, override and restore. doctor is for people who run idleseat doctor, besides one of the others."
  value       = { for name, p in aws_iam_policy.people : name => p.arn }
}

output "read_role" {
  description = "Subject of the federated credential of the reading application."
  value       = aws_iam_role.function["collect"].arn
}

output "write_role" {
  description = "Subject of the federated credential of the writing application."
  value       = aws_iam_role.function["apply"].arn
}

output "queues" {
  value = { for name, q in aws_sqs_queue.relay : name => q.url }
}

output "notices" {
  value = aws_sns_topic.notices.arn
}

output "relay" {
  description = "What the relay's credential_process names; null without a CA bundle."
  value = var.relay_ca_bundle == "" ? null : {
    trust_anchor = aws_rolesanywhere_trust_anchor.relay[0].arn
    profile      = aws_rolesanywhere_profile.relay[0].arn
    role         = aws_iam_role.relay[0].arn
  }
}
