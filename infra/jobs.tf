# What jobs/*/job.yaml declare: work on a schedule that is no endpoint, such as the backup. Each is deployed as an
# endpoint is: topic, subscription, schedule, function.

locals {
  declared_jobs = {
    for file in fileset(local.root, "jobs/*/job.yaml") :
    basename(dirname(file)) => try(yamldecode(file("${local.root}/${file}")), null)
  }

  # With the defaults of shared/job.py.
  jobs = {
    for folder, file in local.declared_jobs : folder => {
      description         = try(tostring(file.description), "")
      every               = try(tostring(file.every), "")
      memory              = try(tostring(file.memory), "512Mi")
      timeout             = try(tonumber(file.timeout), local.timeout_seconds)
      permissions         = try([for permission in file.permissions : tostring(permission)], [])
      project_permissions = try([for permission in file.project_permissions : tostring(permission)], [])
    }
  }
}
