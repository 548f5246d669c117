# The dataset, the endpoints' tables, the ledger's, and the views.

locals {
  dataset = "${var.project}.${var.dataset}"
}

resource "google_bigquery_dataset" "this" {
  dataset_id  = var.dataset
  location    = coalesce(var.dataset_location, var.region)
  description = "A Torn City faction's history, collected by TCdatalogger. Each row names its run in _run_id."
  # As long as BigQuery can: a table can be looked at as it was a week ago.
  max_time_travel_hours      = "168"
  delete_contents_on_destroy = !var.deletion_protection

  depends_on = [google_project_service.this]
}

resource "google_bigquery_table" "endpoint" {
  for_each = local.tables

  dataset_id          = google_bigquery_dataset.this.dataset_id
  table_id            = each.key
  description         = each.value.description
  schema              = jsonencode(local.table_schemas[each.key])
  clustering          = local.table_clusters[each.key]
  deletion_protection = var.deletion_protection

  labels = {
    endpoint       = each.value.endpoint
    schema_version = tostring(each.value.version)
  }

  dynamic "time_partitioning" {
    for_each = each.value.partition == null ? [] : [each.value.partition]

    content {
      type  = "DAY"
      field = time_partitioning.value
    }
  }
}

# ledger.json is made from shared/ledger.py by `make generate`.
locals {
  ledger = jsondecode(file("${path.module}/ledger.json"))
}

resource "google_bigquery_table" "ledger" {
  for_each = local.ledger

  dataset_id          = google_bigquery_dataset.this.dataset_id
  table_id            = each.key
  description         = each.value.description
  schema              = jsonencode(each.value.schema)
  clustering          = each.value.cluster
  deletion_protection = var.deletion_protection

  labels = {
    endpoint = "ledger"
  }

  dynamic "time_partitioning" {
    for_each = each.value.partition == null ? [] : [each.value.partition]

    content {
      type  = "DAY"
      field = time_partitioning.value
    }
  }
}

# Views hold no rows, so nothing protects them: they can be made again at any time.
resource "google_bigquery_table" "ledger_view" {
  for_each = local.ledger_views

  dataset_id          = google_bigquery_dataset.this.dataset_id
  table_id            = each.key
  description         = each.value.description
  deletion_protection = false #checkov:skip=CKV_GCP_121:A view holds no rows, and is made again whenever it changes.

  view {
    query          = each.value.query
    use_legacy_sql = false
  }

  depends_on = [google_bigquery_table.ledger]
}

# A view is made only where everything that it reads is there, and some read the ledger's views.
resource "google_bigquery_table" "view" {
  for_each = local.answer_views

  dataset_id          = google_bigquery_dataset.this.dataset_id
  table_id            = each.key
  description         = each.value.description
  deletion_protection = false #checkov:skip=CKV_GCP_121:A view holds no rows, and is made again whenever it changes.

  view {
    query          = each.value.query
    use_legacy_sql = false
  }

  depends_on = [google_bigquery_table.endpoint, google_bigquery_table.ledger_view]
}
