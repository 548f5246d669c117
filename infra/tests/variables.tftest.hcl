# Each validation of a variable refuses what it is there to refuse. A run breaks one rule of every variable: the project
# is wrong in each, so that nothing is planned and a run takes a moment.

mock_provider "google" {}

run "refuses_what_is_no_name_and_no_choice" {
  command = plan

  variables {
    accounts                  = { "red faction" = {} }
    alert_emails              = ["leader"]
    alert_webhooks            = { chat = "http://example.com/hook" }
    archive_days              = { nearline = 0 }
    archive_delete_after_days = 29
    billing_account           = "012345"
    commit                    = "main"
    dataset                   = "torn-data"
    dataset_location          = "Europe"
    log_level                 = "LOUD"
    log_retention_days        = 0
    max_instances             = 0
    monthly_budget            = 0
    prefix                    = "Test-"
    project                   = "Demo Project"
    region                    = "Europe"
    torn_api_url              = "http://api.torn.com/v2"
  }

  expect_failures = [
    var.accounts, var.alert_emails, var.alert_webhooks, var.archive_days, var.archive_delete_after_days, var.billing_account,
    var.commit, var.dataset, var.dataset_location, var.log_level, var.log_retention_days, var.max_instances, var.monthly_budget, var.prefix, var.project,
    var.region, var.torn_api_url,
  ]
}

run "refuses_a_key_itself_and_what_is_just_beyond" {
  command = plan

  variables {
    accounts                  = { red = { key = "AbCdEfGhIjKlMnOp" } }
    alert_emails              = ["leader@example"]
    archive_days              = { nearline = 90, coldline = 90 }
    archive_delete_after_days = -1
    billing_account           = "012345-6789ab-cdef01"
    commit                    = "abc123"
    dataset                   = ""
    dataset_location          = "eu"
    log_level                 = "info"
    log_retention_days        = 3651
    max_instances             = 1.5
    monthly_budget            = 2.5
    prefix                    = "goog-"
    project                   = "demo1"
    region                    = "us-central"
    torn_api_url              = "api.torn.com/v2"
  }

  expect_failures = [
    var.accounts, var.alert_emails, var.archive_days, var.archive_delete_after_days, var.billing_account, var.commit,
    var.dataset, var.dataset_location, var.log_level, var.log_retention_days, var.max_instances, var.monthly_budget, var.prefix, var.project, var.region,
    var.torn_api_url,
  ]
}

run "refuses_what_is_reserved_and_too_long" {
  command = plan

  variables {
    accounts = { red = { faction_id = 0 } }
    prefix   = "thirteen-long-"
    project  = "a-project-of-more-than-30-letters"
  }

  expect_failures = [var.accounts, var.prefix, var.project]
}

run "refuses_an_account_by_the_name_of_what_is_read_for_all" {
  command = plan

  variables {
    accounts = { global = {} }
    prefix   = "test"
    project  = "123456789012"
  }

  expect_failures = [var.accounts, var.prefix, var.project]
}
