# What needs a person. One policy for each kind of trouble, not for each endpoint: an alert opens for each endpoint (and
# account) that has it, and says which; and a condition costs 0.10 USD a month, however many endpoints it watches. What
# else costs is each series of each evaluation (0.35 USD a million), so most look every five minutes: sooner than any
# endpoint runs again. What has happened and what to type is in alerts/*.md.tftpl, which travels with each notification.
#
# All conditions are PromQL. A log-based metric is known to other conditions only ten minutes after it was made, so a
# first `terraform apply` would fail; and absence is watched for 23.5 hours there at most.

locals {
  # metric → its name in PromQL; the type of resource has to be named, for a log-based metric could have several.
  promql = {
    for name, metric in google_logging_metric.this :
    name => "logging_googleapis_com:user_${replace(metric.name, "/[^A-Za-z0-9]/", "_")}"
  }
  own = "monitored_resource=\"cloud_run_revision\""

  # What is an event keeps its alert open for two hours: so what fails at every slot of an hour or less is one alert, and
  # one mail, until it has been well for that long. What is rarer is told anew each time.
  event_window = "2h"

  # kind → what opens an alert. `state`: that it is over is told as well, for it says that the trouble is; an event's
  # end only says that there was no other.
  alerts = {
    failed = {
      title    = "run failed"
      severity = "ERROR"
      state    = false
      query = join(" or ", [
        "sum by (endpoint, account, error_class) (increase(${local.promql.runs}{${local.own},outcome=~\"failed|refused\",error_class!~\"StopKey|TooManyRejected\"}[${local.event_window}])) > 0.5",
        "sum by (endpoint, error_class) (increase(${local.promql.jobs}{${local.own},outcome=\"failed\"}[${local.event_window}])) > 0.5",
      ])
    }
    dead_key = {
      title    = "key is dead"
      severity = "CRITICAL"
      state    = false
      # By account, which has the key: six endpoints with a dead key are one trouble.
      query = "sum by (account) (increase(${local.promql.runs}{${local.own},outcome=\"failed\",error_class=\"StopKey\"}[${local.event_window}])) > 0.5"
    }
    rejected = {
      title    = "too many records rejected"
      severity = "ERROR"
      state    = false
      query    = "sum by (endpoint, account) (increase(${local.promql.runs}{${local.own},outcome=\"failed\",error_class=\"TooManyRejected\"}[${local.event_window}])) > 0.5"
    }
    retries = {
      title    = "deliveries fail again and again"
      severity = "WARNING"
      state    = true
      # Six within an hour are some twenty minutes of trying: 10, 20, 40 … 600 s apart.
      query = join(" or ", [
        for name, by in { runs = "endpoint, account", jobs = "endpoint" } :
        "(sum by (${by}) (increase(${local.promql[name]}{${local.own},outcome=\"retry\"}[1h])) > 5.5 unless on (${by}) sum by (${by}) (increase(${local.promql[name]}{${local.own},outcome=~\"${join("|", concat(local.succeeded, ["failed"]))}\"}[1h])) > 0.5)"
      ])
    }
    drift = {
      title    = "API sends new fields"
      severity = "WARNING" # there is none below it
      state    = false
      # Every run finds them until they are declared, the rarest once a day: one alert for all that time.
      query = "sum by (endpoint) (increase(${local.promql.drift}{${local.own}}[25h])) > 0.5"
    }
    slow = {
      title    = "run time near its limit"
      severity = "WARNING"
      state    = false
      query    = "sum by (service_name) (increase(${local.promql.slow}{${local.own}}[${local.event_window}])) > 0.5"
    }
    crashed = {
      title    = "instance ended without a record"
      severity = "ERROR"
      state    = false
      # 500 is what a run answers that wants to be delivered again, and 429 what one gets that waits for another.
      query = join(" or ", [
        "sum by (service_name) (increase(${local.promql.crashes}{${local.own}}[${local.event_window}])) > 0.5",
        "sum by (service_name) (increase(run_googleapis_com:request_count{${local.own},service_name=~\"${local.own_services}\",response_code=~\"502|503|504\"}[${local.event_window}])) > 0.5",
      ])
    }
    dead_letters = {
      title    = "dead letters wait"
      severity = "ERROR"
      state    = true
      query    = "max by (subscription_id) (pubsub_googleapis_com:subscription_num_undelivered_messages{monitored_resource=\"pubsub_subscription\",subscription_id=\"${google_pubsub_subscription.dead_letters.name}\"}) > 0"
    }
    key_rotation = {
      title    = "keys are due for replacement"
      severity = "WARNING"
      state    = true
      query    = "max by (subscription_id) (pubsub_googleapis_com:subscription_num_undelivered_messages{monitored_resource=\"pubsub_subscription\",subscription_id=\"${google_pubsub_subscription.key_rotation.name}\"}) > 0"
    }
  }

  # What the texts name.
  alert_words = {
    project      = var.project
    region       = var.region
    warehouse    = local.environment.WAREHOUSE
    options      = join(" ", compact(["--project ${var.project}", var.prefix == "" ? "" : "--prefix ${var.prefix}"]))
    prefix       = var.prefix
    slow_seconds = local.slow_seconds
    run_timeout  = local.run_timeout_seconds
    dead_letters = google_pubsub_subscription.dead_letters.name
    key_rotation = google_pubsub_subscription.key_rotation.name
    secrets      = [for key in sort(local.keys) : google_secret_manager_secret.key[key].secret_id]
    archive      = local.environment.ARCHIVE
  }

  policies = merge(
    {
      for kind, alert in local.alerts : kind => {
        kind     = kind
        title    = alert.title
        severity = alert.severity
        state    = alert.state
        query    = alert.query
        duration = 0
        interval = 300
        text     = templatefile("${path.module}/alerts/${kind}.md.tftpl", local.alert_words)
      }
    },
    local.stale_policies,
  )
}

resource "google_monitoring_alert_policy" "this" {
  for_each = local.policies

  display_name          = "TCdatalogger ${var.prefix}${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.channels

  user_labels = {
    app  = "tcdatalogger"
    kind = each.value.kind
  }

  conditions {
    display_name = each.value.title

    condition_prometheus_query_language {
      query               = each.value.query
      duration            = "${each.value.duration}s"
      evaluation_interval = "${each.value.interval}s"
      # Metrics that were made a moment ago, and those of a platform that has not run anything yet.
      disable_metric_validation = true
    }
  }

  alert_strategy {
    # Where a query has nothing to say any more: nothing of the kind was counted since.
    auto_close           = "1800s"
    notification_prompts = each.value.state ? ["OPENED", "CLOSED"] : ["OPENED"]
  }

  documentation {
    mime_type = "text/markdown"
    content   = each.value.text
  }
}
