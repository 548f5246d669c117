variable "accounts" {
  description = "The factions whose data is collected: account → its id and the secret of its key (each endpoint's own, if none). Empty: one account, `default`."
  type = map(object({
    faction_id = optional(number)
    key        = optional(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name, _ in var.accounts : can(regex("^[A-Za-z0-9_-]{1,63}$", name)) && name != "global"])
    error_message = "An account's name is 1 to 63 letters, digits, - and _, and not `global`."
  }

  validation {
    condition     = alltrue([for _, account in var.accounts : account.key == null || can(regex("^[a-z][a-z0-9-]{0,62}$", coalesce(account.key, "a")))])
    error_message = "An account's key is the name of a secret: lower-case letters, digits and -, a letter first. Never the key itself."
  }

  validation {
    condition     = alltrue([for _, account in var.accounts : account.faction_id == null || coalesce(account.faction_id, 1) >= 1])
    error_message = "A faction_id is a whole number from 1 on."
  }
}

variable "alert_emails" {
  description = "Who is told by e-mail when something needs a person."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "Each of alert_emails is an e-mail address, such as leader@example.com."
  }
}

variable "alert_webhooks" {
  description = "Addresses that alerts are posted to, by a name of your choice. They may hold a token, so they are sensitive; set them in the environment (TF_VAR_alert_webhooks) rather than in a file."
  type        = map(string)
  default     = {}
  nullable    = false
  sensitive   = true

  validation {
    condition     = alltrue([for _, url in var.alert_webhooks : startswith(url, "https://")])
    error_message = "Each of alert_webhooks is an https:// address."
  }
}

variable "archive_days" {
  description = "After how many days every raw response moves to nearline, coldline and archive storage. Null: Autoclass moves what is large enough to pay for it. The moves are billed, and `tcdatalogger cost` does not count them."
  type = object({
    nearline = optional(number, 30)
    coldline = optional(number, 90)
    archive  = optional(number, 365)
  })
  default = null

  validation {
    condition     = var.archive_days == null || try(1 <= var.archive_days.nearline && var.archive_days.nearline < var.archive_days.coldline && var.archive_days.coldline < var.archive_days.archive, false)
    error_message = "archive_days must grow: 1 <= nearline < coldline < archive."
  }
}

variable "archive_delete_after_days" {
  description = "After how many days raw responses are deleted; 0 keeps them. Without them a run cannot be replayed from the archive."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.archive_delete_after_days == 0 || var.archive_delete_after_days >= 30
    error_message = "archive_delete_after_days is 0 (never) or at least 30."
  }
}

variable "billing_account" {
  description = "The billing account whose budget alerts when monthly_budget is in sight, such as 012345-6789AB-CDEF01. Null: no budget; making one needs a role on the billing account."
  type        = string
  default     = null

  validation {
    condition     = var.billing_account == null || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", coalesce(var.billing_account, "-")))
    error_message = "A billing account looks like 012345-6789AB-CDEF01: gcloud billing accounts list."
  }
}

variable "commit" {
  description = "The commit that is deployed, so that a deployment that does not work can go back to it; infra/deliver.sh sets it."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([0-9a-f]{7,64})?$", var.commit))
    error_message = "A commit is 7 to 64 hexadecimal digits: git rev-parse HEAD."
  }
}

variable "dataset" {
  description = "The BigQuery dataset that holds the tables."
  type        = string
  default     = "torn"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_]+$", var.dataset)) && length(var.dataset) <= 1024
    error_message = "A dataset's name is letters, digits and _."
  }
}

variable "dataset_location" {
  description = "Where the dataset is, such as US or EU. Null: the region. It cannot be changed without losing the tables."
  type        = string
  default     = null

  validation {
    condition     = var.dataset_location == null || can(regex("^(US|EU|[a-z]+-[a-z]+[0-9]+)$", coalesce(var.dataset_location, "-")))
    error_message = "A dataset's location is US, EU, or a region such as us-central1."
  }
}

variable "deletion_protection" {
  description = "Refuse whatever would delete tables, raw responses or secrets. Set to false, and apply, before `terraform destroy`."
  type        = bool
  default     = true
  nullable    = false
}

variable "log_level" {
  description = "The least severe lines that functions log."
  type        = string
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR"], var.log_level)
    error_message = "log_level is DEBUG, INFO, WARNING or ERROR."
  }
}

variable "log_retention_days" {
  description = "How long the run records' log lines are kept, in days."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = 1 <= var.log_retention_days && var.log_retention_days <= 3650
    error_message = "log_retention_days is 1 to 3650."
  }
}

variable "max_instances" {
  description = "How many instances of each function may run at once. Each keeps to calls_per_minute on its own, so the budget of every key counts that often; more is for many accounts."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.max_instances >= 1 && floor(var.max_instances) == var.max_instances
    error_message = "max_instances is a whole number from 1 on."
  }
}

variable "monthly_budget" {
  description = "What a month may cost, in the billing account's currency, before somebody is told. `tcdatalogger cost` computes what to expect."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.monthly_budget > 0 && floor(var.monthly_budget) == var.monthly_budget
    error_message = "monthly_budget is a whole amount above 0."
  }
}

variable "paused" {
  description = "Endpoints and jobs that do not run: a list of names, or [\"*\"] for all. Topics and functions stay, so a message published by hand is still collected."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "prefix" {
  description = "What the names of all resources begin with, such as `test-`, so that two installations share a project. The dataset has a name of its own."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([a-z][a-z0-9-]{0,10}-)?$", var.prefix)) && !startswith(var.prefix, "goog")
    error_message = "A prefix is up to 12 lower-case letters, digits and -, a letter first and - last; or empty. It does not begin with goog."
  }
}

variable "project" {
  description = "The Google Cloud project's id."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "A project's id is 6 to 30 lower-case letters, digits and -: `gcloud projects list` shows it. Not its name or number."
  }
}

variable "region" {
  description = "Where functions, topics' messages, schedules and buckets are."
  type        = string
  default     = "us-central1"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "A region looks like us-central1 or europe-west3."
  }
}

variable "torn_api_url" {
  description = "The API that is read."
  type        = string
  default     = "https://api.torn.com/v2"
  nullable    = false

  validation {
    condition     = startswith(var.torn_api_url, "https://")
    error_message = "torn_api_url is https: the key travels with every call."
  }
}
