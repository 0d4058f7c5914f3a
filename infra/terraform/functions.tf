locals {
  zips = var.zips == "" ? "${path.module}/../../dist" : var.zips

  functions = {
    collect    = { memory = 512, timeout = 900, env = merge(local.env, local.graph, { IDLESEAT_ENTRA_CERTIFICATE = var.read_certificate, AZURE_CLIENT_ID = var.read_client_id }) }
    evaluate   = { memory = 512, timeout = 240, env = local.env }
    gate       = { memory = 512, timeout = 900, env = merge(local.env, { IDLESEAT_POLICY = "policy.yaml", IDLESEAT_WEBHOOK_SECRET = var.webhook_secret }) }
    apply      = { memory = 256, timeout = 900, env = merge(local.env, local.graph, { IDLESEAT_ENTRA_CERTIFICATE = var.write_certificate, AZURE_CLIENT_ID = var.write_client_id }) }
    reevaluate = { memory = 256, timeout = 120, env = merge(local.env, { IDLESEAT_STATE_MACHINE = local.machines.plan }) }
    # The same program, but it starts the entrance that makes changes.
    reevaluate-apply = { memory = 256, timeout = 120, env = merge(local.env, { IDLESEAT_STATE_MACHINE = local.machines.approve }) }
  }

  zip = { for name, _ in local.functions : name => "${local.zips}/${trimsuffix(name, "-apply")}.zip" }

  env = {
    IDLESEAT_STORE      = "s3://${local.bucket}"
    IDLESEAT_DEPLOYMENT = var.name
  }
  graph = {
    IDLESEAT_POLICY     = "policy.yaml"
    IDLESEAT_RELAY      = var.active_directory
    IDLESEAT_GRAPH_URL  = var.graph_url
    IDLESEAT_ENTRA_AUTH = var.entra_auth
    AZURE_TENANT_ID     = var.tenant_id
  }
}

resource "aws_cloudwatch_log_group" "function" {
  for_each          = local.functions
  name              = "/aws/lambda/${var.name}-${each.key}"
  retention_in_days = var.log_retention_days
}

resource "aws_lambda_function" "function" {
  for_each         = local.functions
  function_name    = "${var.name}-${each.key}"
  role             = aws_iam_role.function[each.key].arn
  runtime          = "provided.al2023"
  architectures    = ["arm64"]
  handler          = "bootstrap"
  filename         = local.zip[each.key]
  source_code_hash = fileexists(local.zip[each.key]) ? filebase64sha256(local.zip[each.key]) : null
  publish          = true # the state machines call published versions
  memory_size      = each.value.memory
  timeout          = each.value.timeout
  environment {
    variables = each.value.env
  }
  depends_on = [aws_cloudwatch_log_group.function]
}
