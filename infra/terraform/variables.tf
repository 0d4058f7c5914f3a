variable "name" {
  description = "Name of the deployment, by which the bucket and everything else is named. Two in one account and region need two names."
  type        = string
  default     = "idleseat"
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,28}[a-z0-9]$", var.name))
    error_message = "name is at most 30 lower-case letters, digits and hyphens, as in the name of a bucket."
  }
}

variable "existing_key" {
  description = "ARN of the key of an earlier deployment of this name, whose bucket and key were kept. Empty, both are made."
  type        = string
  default     = ""
}

variable "tenant_id" {
  description = "Id of the Entra tenant."
  type        = string
}

variable "read_client_id" {
  description = "Client id of the Entra application that reads."
  type        = string
}

variable "write_client_id" {
  description = "Client id of the Entra application that writes."
  type        = string
}

variable "entra_auth" {
  description = "aws is an AWS identity token and no secret at all; certificate is a certificate with its key from Secrets Manager."
  type        = string
  default     = "aws"
  validation {
    condition     = contains(["aws", "certificate"], var.entra_auth)
    error_message = "entra_auth is aws or certificate."
  }
}

variable "read_certificate" {
  description = "ARN of the secret with the reading application's certificate and key (PEM), with entra_auth certificate."
  type        = string
  default     = ""
  validation {
    condition     = var.entra_auth != "certificate" || var.read_certificate != ""
    error_message = "entra_auth certificate needs read_certificate."
  }
}

variable "write_certificate" {
  description = "ARN of the secret with the writing application's certificate and key (PEM), with entra_auth certificate."
  type        = string
  default     = ""
  validation {
    condition     = var.entra_auth != "certificate" || var.write_certificate != ""
    error_message = "entra_auth certificate needs write_certificate."
  }
}

variable "graph_url" {
  description = "Microsoft Graph; another one for a national cloud."
  type        = string
  default     = "https://graph.microsoft.com/v1.0"
}

variable "active_directory" {
  description = "on when a relay reaches an on-premises Active Directory."
  type        = string
  default     = "off"
  validation {
    condition     = contains(["on", "off"], var.active_directory)
    error_message = "active_directory is on or off."
  }
}

variable "relay_ca_bundle" {
  description = "PEM certificates of the CA that signs the relay's; empty, the relay gets no way to credentials from here."
  type        = string
  default     = ""
}

variable "relay_common_names" {
  description = "Common names of the relays' certificates; no other certificate of the CA is let in."
  type        = list(string)
  default     = ["idleseat-relay"]
}

variable "policy_file" {
  description = "The policy, which is put into the bucket as policy.yaml; empty, it is put there by other means."
  type        = string
  default     = ""
}

variable "policy_writers" {
  description = "ARNs of roles and users who may write the policy besides its own role; with policy_file, of the one who applies this module."
  type        = list(string)
  default     = []
  validation {
    condition     = var.policy_file == "" || length(var.policy_writers) > 0
    error_message = "With policy_file name the role or user who applies this module in policy_writers."
  }
}

variable "zips" {
  description = "Folder with the functions' zips, as make build makes them."
  type        = string
  default     = ""
}

# Not between 0 and 3 o'clock: EventBridge Scheduler skips a time that does not exist when summer time begins
# (Schedule types, "Daylight saving time").
variable "schedule_expression" {
  description = "When runs start."
  type        = string
  default     = "cron(0 4 * * ? *)"
}

variable "schedule_timezone" {
  type    = string
  default = "UTC"
}

variable "schedule_state" {
  description = "DISABLED switches the schedule off."
  type        = string
  default     = "ENABLED"
  validation {
    condition     = contains(["ENABLED", "DISABLED"], var.schedule_state)
    error_message = "schedule_state is ENABLED or DISABLED."
  }
}

# CloudWatch looks back at most seven days with periods of an hour (API reference of PutMetricAlarm, "Period").
variable "no_run_hours" {
  description = "The alarm no-run notifies after this many hours without a scheduled plan. The longest time between two nights, and 2. With 0 there is no such alarm."
  type        = number
  default     = 26
  validation {
    condition     = var.no_run_hours >= 0 && var.no_run_hours <= 168 && floor(var.no_run_hours) == var.no_run_hours
    error_message = "no_run_hours is a whole number from 0 to 168."
  }
}

variable "notice_email" {
  description = "Address that gets the notices and the alarms. AWS asks it to confirm. Empty, nobody gets them until somebody subscribes."
  type        = string
  default     = ""
}

variable "webhook_secret" {
  description = "ARN of a secret with the address of a webhook of Teams or Slack, whose channel gets the notices, too. Empty, no channel gets them."
  type        = string
  default     = ""
}

variable "run_retention_days" {
  description = "Days for which what runs read and decided is kept. It is personal data."
  type        = number
  default     = 90
  validation {
    condition     = var.run_retention_days >= 7
    error_message = "Keep runs for 7 days or more: a plan may be applied for three days, and is then waited for."
  }
}

variable "ledger_retention_days" {
  description = "Days for which the ledger of changes is kept. Without it nothing can be restored."
  type        = number
  default     = 1825
  validation {
    condition     = var.ledger_retention_days >= 90
    error_message = "Keep the ledger for 90 days or more: without it nothing can be restored."
  }
}

variable "log_retention_days" {
  type    = number
  default = 30
}
