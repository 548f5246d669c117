# Who is told. Without any, alerts still open on the console's page and the dashboard, and nobody hears of them.

resource "google_monitoring_notification_channel" "email" {
  for_each = var.alert_emails

  display_name = "TCdatalogger ${var.prefix}e-mail to ${each.key}"
  type         = "email"
  # Policies that still name it would hold up its removal: they are changed after it.
  force_delete = true

  labels = {
    email_address = each.key
  }

  depends_on = [google_project_service.this]
}

resource "google_monitoring_notification_channel" "webhook" {
  # The names are no secret; the addresses, which may hold a token, are.
  for_each = nonsensitive(toset(keys(var.alert_webhooks)))

  display_name = "TCdatalogger ${var.prefix}webhook ${each.key}"
  type         = "webhook_tokenauth"
  force_delete = true

  labels = {
    url = var.alert_webhooks[each.key]
  }

  depends_on = [google_project_service.this]
}

locals {
  channels = concat(
    [for _, channel in google_monitoring_notification_channel.email : channel.id],
    [for _, channel in google_monitoring_notification_channel.webhook : channel.id],
  )
}
