# One page that says how it goes, and what to type. All charts are PromQL, over metrics.tf's metrics and Google's own.

locals {
  # Three columns of 16, on the grid of 48; a line of charts is 16 high.
  tile_width = 16

  # The console puts the chart's own interval in.
  interval = "$${__interval}"

  own_topics = "subscription_id=~\"${join("|", concat([for name in sort(keys(local.functions)) : google_pubsub_subscription.push[name].name], [google_pubsub_subscription.dead_letters.name, google_pubsub_subscription.key_rotation.name]))}\""
  own_run    = "${local.own},service_name=~\"${local.own_services}\""

  # title → its curves, name → query; `bars` stacks them, `lines` are thresholds.
  charts = [
    {
      title = "Attempts by outcome"
      bars  = true
      curves = {
        "$${labels.outcome}" = "sum by (outcome) (increase(${local.promql.runs}{${local.own}}[${local.interval}]))"
      }
    },
    {
      title = "Runs that succeeded, by endpoint"
      bars  = true
      curves = {
        "$${labels.endpoint}" = "sum by (endpoint) (increase(${local.promql.runs}{${local.own},outcome=~\"${join("|", local.succeeded)}\"}[${local.interval}]))"
      }
    },
    {
      title = "Runs that failed, were refused or missed their slot"
      bars  = true
      curves = {
        "$${labels.endpoint} $${labels.outcome} $${labels.error_class}" = "sum by (endpoint, outcome, error_class) (increase(${local.promql.runs}{${local.own},outcome=~\"failed|refused|missed\"}[${local.interval}]))"
      }
    },
    {
      title = "Freshness: successes in the last 24 hours, % of the slots"
      unit  = "%"
      lines = [100]
      curves = merge([
        for name, minutes in local.minutes : {
          (name) = "100 * (sum(increase(${contains(keys(local.jobs), name) ? local.promql.jobs : local.promql.fresh}{${local.own},endpoint=\"${name}\"${contains(keys(local.jobs), name) ? ",outcome=~\"${join("|", local.succeeded)}\"" : ""}}[24h])) or vector(0)) / ${1440 / max(minutes, 1) * (try(local.endpoints[name].scope, "global") == "global" ? 1 : length(local.accounts))}"
        } if local.divides_a_day[name]
      ]...)
    },
    {
      title = "Records collected, by endpoint"
      bars  = true
      curves = {
        "$${labels.endpoint}" = "sum by (endpoint) (increase(${local.promql.records}_sum{${local.own}}[${local.interval}]))"
      }
    },
    {
      title = "Rows loaded into BigQuery, by table"
      bars  = true
      curves = {
        "$${labels.table}" = "sum by (table) (increase(bigquery_googleapis_com:storage_uploaded_row_count{monitored_resource=\"bigquery_dataset\",dataset_id=\"${var.dataset}\"}[${local.interval}]))"
      }
    },
    {
      title = "Run time, half of the attempts within"
      unit  = "s"
      curves = {
        "$${labels.endpoint}" = "histogram_quantile(0.5, sum by (endpoint, le) (increase(${local.promql.duration}_bucket{${local.own}}[24h])))"
      }
    },
    {
      title = "Run time, 99 of 100 attempts within"
      unit  = "s"
      lines = [local.slow_seconds, local.run_timeout_seconds]
      curves = {
        "$${labels.endpoint}" = "histogram_quantile(0.99, sum by (endpoint, le) (increase(${local.promql.duration}_bucket{${local.own}}[24h])))"
      }
    },
    {
      title = "Deliveries that are to be tried again"
      bars  = true
      curves = {
        "$${labels.endpoint} $${labels.error_class}"     = "sum by (endpoint, error_class) (increase(${local.promql.runs}{${local.own},outcome=\"retry\"}[${local.interval}]))"
        "job $${labels.endpoint} $${labels.error_class}" = "sum by (endpoint, error_class) (increase(${local.promql.jobs}{${local.own},outcome=\"retry\"}[${local.interval}]))"
      }
    },
    {
      title = "Records rejected"
      bars  = true
      curves = {
        "$${labels.endpoint}" = "sum by (endpoint) (increase(${local.promql.rejected}_sum{${local.own}}[${local.interval}]))"
      }
    },
    {
      title = "Runs with fields that nobody declared"
      bars  = true
      curves = {
        "$${labels.endpoint}" = "sum by (endpoint) (increase(${local.promql.drift}{${local.own}}[${local.interval}]))"
      }
    },
    {
      title = "Messages that wait, dead letters and key reminders among them"
      curves = {
        "$${labels.subscription_id}" = "max by (subscription_id) (pubsub_googleapis_com:subscription_num_undelivered_messages{monitored_resource=\"pubsub_subscription\",${local.own_topics}})"
      }
    },
    {
      title = "Functions: answers that are errors"
      bars  = true
      curves = {
        "$${labels.service_name} $${labels.response_code}" = "sum by (service_name, response_code) (increase(run_googleapis_com:request_count{${local.own_run},response_code_class!=\"2xx\"}[${local.interval}]))"
        "$${labels.service_name} ended by the platform"    = "sum by (service_name) (increase(${local.promql.crashes}{${local.own}}[${local.interval}]))"
      }
    },
    {
      title = "Functions: instances"
      bars  = true
      curves = {
        "$${labels.service_name}" = "sum by (service_name) (max_over_time(run_googleapis_com:container_instance_count{${local.own_run}}[${local.interval}]))"
      }
    },
    {
      title = "Functions: memory, % of what they have"
      unit  = "%"
      lines = [90]
      curves = {
        "$${labels.service_name}" = "100 * histogram_quantile(0.99, sum by (service_name, le) (increase(run_googleapis_com:container_memory_utilizations_bucket{${local.own_run}}[1h])))"
      }
    },
  ]

  # What is zero or empty is left out: the API does not answer with it, and every plan would show a difference.
  tiles = concat(
    [
      {
        x = 0, y = 0, width = 24, height = 16
        widget = {
          title = "What to type"
          text = {
            format  = "MARKDOWN"
            content = templatefile("${path.module}/dashboard.md.tftpl", local.alert_words)
          }
        }
      },
      {
        x = 24, y = 0, width = 24, height = 16
        widget = {
          title        = "Open alerts"
          incidentList = {}
        }
      },
    ],
    [
      for place, chart in local.charts : {
        x = place % 3 * local.tile_width, y = 16 + floor(place / 3) * 16, width = local.tile_width, height = 16
        widget = {
          title = chart.title
          xyChart = merge(
            {
              chartOptions = { mode = "COLOR" }
              dataSets = [
                for name, query in chart.curves : {
                  plotType       = try(chart.bars, false) ? "STACKED_BAR" : "LINE"
                  targetAxis     = "Y1"
                  legendTemplate = name
                  timeSeriesQuery = {
                    prometheusQuery = query
                    unitOverride    = try(chart.unit, "1")
                  }
                }
              ]
              yAxis = { scale = "LINEAR" }
            },
            { for key, lines in { thresholds = try(chart.lines, []) } : key => [for line in lines : { value = line, targetAxis = "Y1" }] if length(lines) > 0 },
          )
        }
      }
    ],
    [
      {
        x = 0, y = 16 + ceil(length(local.charts) / 3) * 16, width = 48, height = 20
        widget = {
          title = "Warnings and errors"
          logsPanel = {
            filter        = "${local.own_lines} AND severity>=WARNING"
            resourceNames = ["projects/${var.project}"]
          }
        }
      },
    ],
  )
}

resource "google_monitoring_dashboard" "this" {
  dashboard_json = jsonencode({
    displayName = "TCdatalogger ${var.prefix}${var.project}"
    mosaicLayout = {
      columns = 48
      tiles = [
        for tile in local.tiles : merge(
          { for key, value in { xPos = tile.x, yPos = tile.y } : key => value if value > 0 },
          { width = tile.width, height = tile.height, widget = tile.widget },
        )
      ]
    }
  })

  depends_on = [google_project_service.this]
}
