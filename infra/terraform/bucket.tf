locals {
  # An earlier deployment of this name has left its bucket and key behind.
  kept = var.existing_key != ""
  key  = local.kept ? var.existing_key : aws_kms_key.objects[0].arn

  bucket  = "${var.name}-${data.aws_caller_identity.current.account_id}-${data.aws_region.current.region}"
  objects = "arn:${data.aws_partition.current.partition}:s3:::${local.bucket}"
  # Names of IAM roles and of dashboards must be unique across regions.
  global = "${var.name}-${data.aws_region.current.region}"
}

resource "aws_kms_key" "objects" {
  count               = local.kept ? 0 : 1
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
      # Alarms publish to a topic that is encrypted with this key.
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
  # terraform destroy cannot delete the bucket while it holds objects.
  # Without this key nobody could read them.
  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket" "store" {
  count  = local.kept ? 0 : 1
  bucket = local.bucket
  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "store" {
  bucket = local.bucket
  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = local.key
    }
  }
  depends_on = [aws_s3_bucket.store]
}

resource "aws_s3_bucket_public_access_block" "store" {
  bucket                  = local.bucket
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
  depends_on              = [aws_s3_bucket.store]
}

resource "aws_s3_bucket_ownership_controls" "store" {
  bucket = local.bucket
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
  depends_on = [aws_s3_bucket.store]
}

resource "aws_s3_bucket_versioning" "store" {
  bucket = local.bucket
  versioning_configuration {
    status = "Enabled"
  }
  depends_on = [aws_s3_bucket.store]
}

resource "aws_s3_bucket_lifecycle_configuration" "store" {
  bucket = local.bucket
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
  # A restore needs the ledger, and the licenses of each run, which are in history/. Objects that somebody deletes
  # from either can be recovered for 30 days.
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
      noncurrent_days = 30
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
    noncurrent_version_expiration {
      noncurrent_days = 30
    }
  }
  # Earlier policies also contain personal data: the names of exempt people.
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
  depends_on = [aws_s3_bucket.store]
}

locals {
  bucket_policy = [
    {
      Sid       = "OnlyOverTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [local.objects, "${local.objects}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    },
    # Writes to the ledger must send If-None-Match, so nothing can overwrite an entry.
    {
      Sid       = "LedgerIsCreateOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:PutObject"
      Resource  = "${local.objects}/ledger/*"
      Condition = {
        Null = { "s3:if-none-match" = "true" }
        Bool = { "s3:ObjectCreationOperation" = "true" }
      }
    },
    # Other rights to write the bucket do not include the policy. Without its newest version, an earlier version of the
    # policy would be in force again (S3 User Guide, "Deleting object versions from a versioning-enabled bucket"). A
    # replica needs no s3:PutObject ("Setting up permissions for live replication").
    {
      Sid       = "PolicyByItsOwnRole"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:ReplicateObject", "s3:ReplicateDelete"]
      Resource  = "${local.objects}/policy.yaml"
      Condition = { ArnNotEquals = { "aws:PrincipalArn" = concat([aws_iam_role.policy.arn], var.policy_writers) } }
    },
  ]
}

resource "aws_s3_bucket_policy" "store" {
  bucket     = local.bucket
  policy     = jsonencode({ Version = "2012-10-17", Statement = local.bucket_policy })
  depends_on = [aws_s3_bucket.store]
}

# Each run validates the policy and stores its own copy.
resource "aws_s3_object" "policy" {
  count       = var.policy_file == "" ? 0 : 1
  bucket      = local.bucket
  key         = "policy.yaml"
  source      = var.policy_file
  source_hash = filemd5(var.policy_file) # with SSE-KMS the ETag is not a hash of the file
  depends_on  = [aws_s3_bucket_policy.store, aws_s3_bucket_versioning.store, aws_s3_bucket_server_side_encryption_configuration.store]
}
