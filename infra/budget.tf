# What a month may cost. A budget tells; it stops nothing. Made only where a billing account is named, for it needs a
# role there (roles/billing.costsManager) that many who own a project have not.

resource "google_billing_budget" "this" {
  count = var.billing_account == null ? 0 : 1

  billing_account = var.billing_account
  display_name    = "TCdatalogger ${var.prefix}${var.project}"

  budget_filter {
    # By number: the API answers with numbers, and by id every plan would show a difference.
    projects = ["projects/${data.google_project.this.number}"]
    # The free tier is free; a trial's promotion is no saving, for it would hide what comes after it.
    credit_types_treatment = "INCLUDE_SPECIFIED_CREDITS"
    credit_types           = ["DISCOUNT", "FREE_TIER"]
    calendar_period        = "MONTH"
  }

  amount {
    specified_amount {
      # In the account's own currency.
      units = tostring(var.monthly_budget)
    }
  }

  dynamic "threshold_rules" {
    for_each = toset([0.5, 0.9, 1.0])

    content {
      threshold_percent = threshold_rules.value
      spend_basis       = "CURRENT_SPEND"
    }
  }

  threshold_rules {
    threshold_percent = 1.0
    spend_basis       = "FORECASTED_SPEND"
  }

  all_updates_rule {
    # A budget takes five; the billing account's administrators are told besides.
    monitoring_notification_channels = slice(local.channels, 0, min(5, length(local.channels)))
    disable_default_iam_recipients   = false
  }

  depends_on = [google_project_service.this]
}
