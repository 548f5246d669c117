# Stale: an endpoint, or a job, without a success in 3 × `every`. One policy for each interval that there is; what is
# paused is left out.
#
# A success counts for `lookback` seconds, and the alert opens when there was none for `held` seconds on end: together
# 3 × every. Held for one `every`, so that a new installation has that long for its first run. No condition may be held
# for more than 23.5 hours, so a daily one looks back the longer instead; PromQL may look back for two years, and beyond
# 25 hours takes an evaluation every five minutes at the most.

locals {
  held_seconds_at_most = 84600

  # The record of a run that went well is logged as information: without it, whatever runs would seem to stand still.
  records_logged = contains(["DEBUG", "INFO"], var.log_level)

  # every → who runs then: endpoints, each with the accounts it reads for, and jobs.
  watched = {
    for name, minutes in local.minutes : name => minutes
    if local.records_logged && local.divides_a_day[name] && !local.paused[name]
  }
  watched_at = {
    for minutes in distinct(values(local.watched)) : tostring(minutes) => {
      text = distinct([for name in sort(keys(local.watched)) : local.every[name] if local.watched[name] == minutes])[0]
      pairs = flatten([
        for name in sort(keys(local.watched)) : [
          for account in try(local.endpoints[name].scope == "global" ? ["global"] : sort(keys(local.accounts)), []) : { endpoint = name, account = account }
        ] if local.watched[name] == minutes
      ])
      jobs = [for name in sort(keys(local.watched)) : name if local.watched[name] == minutes && contains(keys(local.jobs), name)]
      held = min(minutes * 60, local.held_seconds_at_most)
    }
  }
  lookback = { for minutes, at in local.watched_at : minutes => 3 * 60 * tonumber(minutes) - at.held }

  # Who had no success at all has no series: a zero stands in for each.
  stale_terms = {
    for minutes, at in local.watched_at : minutes => concat(
      length(at.pairs) == 0 ? [] : [
        "sum by (endpoint, account) (increase(${local.promql.fresh}{${local.own},endpoint=~\"${join("|", distinct(at.pairs[*].endpoint))}\",account=~\"${join("|", distinct(at.pairs[*].account))}\"}[${local.lookback[minutes]}s]))"
      ],
      length(at.jobs) == 0 ? [] : [
        "sum by (endpoint) (increase(${local.promql.jobs}{${local.own},endpoint=~\"${join("|", at.jobs)}\",outcome=~\"${join("|", local.succeeded)}\"}[${local.lookback[minutes]}s]))"
      ],
      [for pair in at.pairs : "label_replace(label_replace(vector(0), \"endpoint\", \"${pair.endpoint}\", \"\", \"\"), \"account\", \"${pair.account}\", \"\", \"\")"],
      [for job in at.jobs : "label_replace(vector(0), \"endpoint\", \"${job}\", \"\", \"\")"],
    )
  }

  stale_policies = {
    for minutes, at in local.watched_at : "stale_${minutes}" => {
      kind     = "stale"
      title    = "no success in 3 × ${at.text}"
      severity = "CRITICAL"
      state    = true
      query    = "(${join(" or ", local.stale_terms[minutes])}) < 0.5"
      duration = at.held
      interval = local.lookback[minutes] > 25 * 3600 || tonumber(minutes) >= 60 ? 300 : 60
      text     = templatefile("${path.module}/alerts/stale.md.tftpl", merge(local.alert_words, { every = at.text }))
    }
  }
}

check "records_are_logged" {
  assert {
    condition     = local.records_logged
    error_message = "log_level ${var.log_level} leaves out the records of runs that go well: there are no alerts for stale endpoints, and the dashboard shows failures alone. Set it to INFO."
  }
}
