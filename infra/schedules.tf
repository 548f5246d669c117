# ISO-8601 durations → Cloud Scheduler's schedules. Only what divides a day is one: any other interval's slots would
# drift from one day to the next, and so are months, years (their length varies) and seconds (there is no finer grain
# than a minute) refused, in checks.tf.

locals {
  # name → minutes; 0 is what cannot be read.
  every = merge({ for name, one in local.endpoints : name => one.every }, { for name, one in local.jobs : name => one.every })

  every_parts = {
    for name, text in local.every :
    name => can(regex("^P[0-9WDTHM]*[WDHM]$", text)) ? try(regex("^P(?:(\\d{1,6})W)?(?:(\\d{1,6})D)?(?:T(?:(\\d{1,6})H)?(?:(\\d{1,6})M)?)?$", text), []) : []
  }
  minutes = {
    for name, parts in local.every_parts : name => length(parts) == 0 ? 0 : sum([
      for place, part in parts : tonumber(coalesce(part, "0")) * [10080, 1440, 60, 1][place]
    ])
  }
  divides_a_day = { for name, minutes in local.minutes : name => minutes > 0 && 1440 % max(minutes, 1) == 0 }

  schedules = {
    for name, minutes in local.minutes : name => (
      !local.divides_a_day[name] ? null :
      minutes == 1440 ? "0 0 * * *" :
      minutes < 60 && 60 % minutes == 0 ? "*/${minutes} * * * *" :
      minutes % 60 == 0 ? "0 */${minutes / 60} * * *" :
      "every ${minutes} minutes synchronized"
    )
  }
}
