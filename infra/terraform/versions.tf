# The module configures no backend. Use one that is shared, locked and encrypted.
# Commit the .terraform.lock.hcl that the first init writes.
terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25"
    }
  }
}

data "aws_caller_identity" "current" {}
data "aws_region" "current" {}
data "aws_partition" "current" {}
