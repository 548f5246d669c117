# Who is told of what, and when: the alerts' arithmetic, the channels, the budget.

mock_provider "google" {}

variables {
  project        = "demo-project"
  alert_emails   = []
  alert_webhooks = {}
}

run "what_runs_is_watched" {
  command = plan

  plan_options {
    target = [google_billing_budget.this, google_monitoring_alert_policy.this, google_project_iam_audit_config.this]
  }

  assert {
    condition     = toset(flatten([for at in values(local.watched_at) : concat(at.pairs[*].endpoint, at.jobs)])) == toset(keys(local.functions))
    error_message = "An endpoint or a job may stand still unseen."
  }
  assert {
    condition     = alltrue([for minutes, at in local.watched_at : local.lookback[minutes] + at.held == 3 * 60 * tonumber(minutes) && at.held <= 84600 && local.lookback[minutes] >= at.held])
    error_message = "A stale alert does not open after 3 × every, or is held for longer than a condition may be."
  }
  assert {
    condition = alltrue([
      for minutes, at in local.watched_at : alltrue([
        for name in concat(at.pairs[*].endpoint, at.jobs) : strcontains(local.stale_policies["stale_${minutes}"].query, "vector(0), \"endpoint\", \"${name}\"")
      ])
    ])
    error_message = "Who never succeeded has no series, and no zero stands in for it."
  }
  assert {
    condition     = alltrue([for policy in values(google_monitoring_alert_policy.this) : length(policy.notification_channels) == 0 && policy.enabled != false])
    error_message = "Without addresses there are no channels, and alerts all the same."
  }
  assert {
    # Google's least interval between evaluations, by how far back a query looks.
    condition     = alltrue([for minutes, seconds in local.lookback : seconds <= 25 * 3600 || local.stale_policies["stale_${minutes}"].interval >= 300])
    error_message = "A query that looks back for more than 25 hours is evaluated too often."
  }
  assert {
    condition     = alltrue([for policy in values(local.policies) : length(policy.text) < 8192])
    error_message = "A text is longer than a policy may have."
  }
  assert {
    condition     = length(google_billing_budget.this) == 0
    error_message = "There is a budget without a billing account."
  }
  assert {
    condition     = toset(keys(google_project_iam_audit_config.this)) == toset(["bigquery", "secretmanager"])
    error_message = "Reads of keys or of rows are not audited."
  }
}

run "what_is_paused_is_not_watched" {
  command = plan

  variables {
    paused = ["*"]
  }
  plan_options {
    target = [google_monitoring_alert_policy.this]
  }

  assert {
    condition     = length(local.stale_policies) == 0 && length(google_monitoring_alert_policy.this) == length(local.alerts)
    error_message = "What is meant to rest is told as standing still."
  }
}

run "each_account_is_watched" {
  command = plan

  variables {
    accounts = { red = { faction_id = 1 }, blue = { key = "key-blue" } }
  }
  plan_options {
    target = [google_monitoring_alert_policy.this]
  }

  assert {
    condition = toset([for pair in flatten([for at in values(local.watched_at) : at.pairs]) : "${pair.endpoint}/${pair.account}"]) == toset(flatten([
      for name, endpoint in local.endpoints : [for account in endpoint.scope == "global" ? ["global"] : ["blue", "red"] : "${name}/${account}"]
    ]))
    error_message = "An account's endpoint may stand still unseen."
  }
}

run "records_that_are_not_logged_are_not_missed" {
  command = plan

  variables {
    log_level = "WARNING"
  }

  expect_failures = [check.records_are_logged]

  assert {
    condition     = length(local.stale_policies) == 0
    error_message = "What goes well is not logged, and taken for standing still."
  }
}

run "somebody_is_told" {
  command = plan

  variables {
    alert_emails    = ["leader@example.com", "banker@example.com"]
    alert_webhooks  = { discord = "https://example.com/hook?token=secret" }
    billing_account = "012345-6789AB-CDEF01"
    monthly_budget  = 7
  }
  plan_options {
    target = [google_billing_budget.this, google_monitoring_notification_channel.webhook]
  }

  assert {
    condition     = length(local.channels) == 3 && google_monitoring_notification_channel.webhook["discord"].type == "webhook_tokenauth"
    error_message = "Not each address is a channel."
  }
  assert {
    condition     = google_billing_budget.this[0].amount[0].specified_amount[0].units == "7"
    error_message = "The budget is not the one that was asked for."
  }
  assert {
    condition = toset([for rule in google_billing_budget.this[0].threshold_rules : "${rule.threshold_percent} ${rule.spend_basis}"]) == toset([
      "0.5 CURRENT_SPEND", "0.9 CURRENT_SPEND", "1 CURRENT_SPEND", "1 FORECASTED_SPEND",
    ])
    error_message = "The budget's thresholds are not half, nine tenths, all of it, and all of it to be expected."
  }
}

run "two_installations_share_a_project" {
  command = plan

  variables {
    prefix = "test-"
  }
  plan_options {
    target = [google_logging_metric.this, google_monitoring_alert_policy.this]
  }

  assert {
    condition     = alltrue([for name, metric in google_logging_metric.this : metric.name == "test_tcdatalogger_${name}" && strcontains(metric.filter, "^(test-")])
    error_message = "A metric counts another installation's lines, or has its name."
  }
  assert {
    condition     = alltrue([for policy in values(google_monitoring_alert_policy.this) : startswith(policy.display_name, "TCdatalogger test-")])
    error_message = "An alert does not say whose it is."
  }
}
