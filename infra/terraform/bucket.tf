resource "aws_kms_key" "objects" {
  description         = "objects of ${var.name}"
  enable_key_rotation = true
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AccountByItsOwnPolicies"
        Effect    = "Allow"
        Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      # Alarms go to a topic that is encrypted with this key.
      {
        Sid       = "AlarmsOfThisAccount"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
      },
    ]
  })
  # A terraform destroy cannot remove the bucket, because it is not empty.
  # Without its key nobody could read it.
  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket" "store" {
  bucket = "${var.name}-${data.aws_caller_identity.current.account_id}-${data.aws_region.current.region}"
  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "store" {
  bucket = aws_s3_bucket.store.id
  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.objects.arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "store" {
  bucket                  = aws_s3_bucket.store.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "store" {
  bucket = aws_s3_bucket.store.id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "store" {
  bucket = aws_s3_bucket.store.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "store" {
  bucket = aws_s3_bucket.store.id
  rule {
    id     = "runs"
    status = "Enabled"
    filter {
      prefix = "runs/"
    }
    expiration {
      days = var.run_retention_days
    }
    noncurrent_version_expiration {
      noncurrent_days = 1
    }
  }
  # A restore needs the licenses of each run, which are here, and the ledger.
  rule {
    id     = "history"
    status = "Enabled"
    filter {
      prefix = "history/"
    }
    expiration {
      days = var.ledger_retention_days
    }
    noncurrent_version_expiration {
      noncurrent_days = 1
    }
  }
  rule {
    id     = "ledger"
    status = "Enabled"
    filter {
      prefix = "ledger/"
    }
    expiration {
      days = var.ledger_retention_days
    }
    # An entry that is deleted by hand can be recovered for 30 days.
    noncurrent_version_expiration {
      noncurrent_days = 30
    }
  }
  # Earlier policies also name people: they list the exempt ones.
  rule {
    id     = "policy"
    status = "Enabled"
    filter {
      prefix = "policy.yaml"
    }
    noncurrent_version_expiration {
      noncurrent_days = var.run_retention_days
    }
  }
  rule {
    id     = "remains"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
  rule {
    id     = "delete-markers"
    status = "Enabled"
    filter {}
    expiration {
      expired_object_delete_marker = true
    }
  }
}

locals {
  bucket_policy = [
    {
      Sid       = "OnlyOverTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.store.arn, "${aws_s3_bucket.store.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    },
    # Nothing overwrites the ledger: a put must have If-None-Match.
    {
      Sid       = "LedgerIsCreateOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:PutObject"
      Resource  = "${aws_s3_bucket.store.arn}/ledger/*"
      Condition = {
        Null = { "s3:if-none-match" = "true" }
        Bool = { "s3:ObjectCreationOperation" = "true" }
      }
    },
    # Who may write the bucket may still not write the policy.
    {
      Sid       = "PolicyByItsOwnRole"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["s3:PutObject", "s3:DeleteObject"]
      Resource  = "${aws_s3_bucket.store.arn}/policy.yaml"
      Condition = { ArnNotEquals = { "aws:PrincipalArn" = concat([aws_iam_role.policy.arn], var.policy_writers) } }
    },
  ]
}

resource "aws_s3_bucket_policy" "store" {
  bucket = aws_s3_bucket.store.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.bucket_policy })
}

# A run checks the policy before it uses it, and keeps its own copy.
resource "aws_s3_object" "policy" {
  count       = var.policy_file == "" ? 0 : 1
  bucket      = aws_s3_bucket.store.id
  key         = "policy.yaml"
  source      = var.policy_file
  source_hash = filemd5(var.policy_file) # under a key of KMS the etag is no hash of the file
  depends_on  = [aws_s3_bucket_policy.store, aws_s3_bucket_versioning.store, aws_s3_bucket_server_side_encryption_configuration.store]
}
