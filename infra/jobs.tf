# What jobs/*/job.yaml declare: work on a schedule that is no endpoint, such as the backup. Each is deployed as an
# endpoint is: topic, subscription, schedule, function.

locals {
  jobs = {
    for file in fileset(local.root, "jobs/*/job.yaml") :
    basename(dirname(file)) => yamldecode(file("${local.root}/${file}"))
  }
}
