# Messages contain only keys and task tokens, so SQS-managed encryption is enough.
resource "aws_sqs_queue" "relay" {
  for_each                   = toset(["read", "write"])
  name                       = "${var.name}-ad-${each.key}"
  visibility_timeout_seconds = 60
  message_retention_seconds  = 345600
  sqs_managed_sse_enabled    = true
  redrive_policy             = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead[each.key].arn, maxReceiveCount = 10 })
}

resource "aws_sqs_queue" "dead" {
  for_each                  = toset(["read", "write"])
  name                      = "${var.name}-ad-${each.key}-dead"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue_policy" "tls" {
  for_each  = merge({ for k, q in aws_sqs_queue.relay : k => q }, { for k, q in aws_sqs_queue.dead : "${k}-dead" => q })
  queue_url = each.value.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Deny", Principal = "*", Action = "sqs:*", Resource = each.value.arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

# The relay gets credentials for a certificate of the company's own CA.
resource "aws_rolesanywhere_trust_anchor" "relay" {
  count   = var.relay_ca_bundle == "" ? 0 : 1
  name    = "${var.name}-relay"
  enabled = true
  source {
    source_type = "CERTIFICATE_BUNDLE"
    source_data {
      x509_certificate_data = var.relay_ca_bundle
    }
  }
}

resource "aws_iam_role" "relay" {
  count = var.relay_ca_bundle == "" ? 0 : 1
  name  = "${local.global}-relay"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow", Principal = { Service = "rolesanywhere.amazonaws.com" }
      Action = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
      # The company's CA also signs certificates of other systems, so only these common names are accepted.
      Condition = {
        StringEquals = { "aws:PrincipalTag/x509Subject/CN" = var.relay_common_names }
        ArnEquals    = { "aws:SourceArn" = aws_rolesanywhere_trust_anchor.relay[0].arn }
      }
    }]
  })
}

resource "aws_iam_role_policy" "relay" {
  count  = var.relay_ca_bundle == "" ? 0 : 1
  name   = "relay"
  role   = aws_iam_role.relay[0].id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.rights.relay })
}

resource "aws_rolesanywhere_profile" "relay" {
  count            = var.relay_ca_bundle == "" ? 0 : 1
  name             = "${var.name}-relay"
  enabled          = true
  duration_seconds = 3600
  role_arns        = [aws_iam_role.relay[0].arn]
}
