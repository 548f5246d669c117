# A service account for each function, one that Pub/Sub calls them as, and one that builds them. None has a key.

locals {
  # 6 to 30 characters; what is longer keeps its beginning and a hash, so that different names stay different.
  service_account_ids = {
    for name, id in { for name, _ in local.functions : name => "${var.prefix}fn-${trim(replace(name, "_", "-"), "-")}" } :
    name => length(id) <= 30 && trim(name, "_") == name ? id : "${substr(id, 0, min(23, length(id)))}-${substr(sha1(name), 0, 6)}"
  }
}

resource "google_service_account" "function" {
  for_each = local.functions

  account_id   = local.service_account_ids[each.key]
  display_name = "TCdatalogger: ${each.key}"
  description  = "Runs ${each.value.folder}."

  depends_on = [google_project_service.this]
}

resource "google_service_account" "invoker" {
  account_id   = "${var.prefix}push-invoker"
  display_name = "TCdatalogger: Pub/Sub push"
  description  = "Whose tokens Pub/Sub's pushes carry; may call the functions and nothing else."

  depends_on = [google_project_service.this]
}

resource "google_service_account" "build" {
  account_id   = "${var.prefix}function-build"
  display_name = "TCdatalogger: builds"
  description  = "Builds the functions' images; new organisations deny this to the default account."

  depends_on = [google_project_service.this]
}
