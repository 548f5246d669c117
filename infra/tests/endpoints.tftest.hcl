# What a plan has for each folder of functions/ and jobs/, however many there are.

mock_provider "google" {}

variables {
  project = "demo-project"
}

run "every_folder_has_its_resources" {
  command = plan

  variables {
    paused = ["*"]
  }

  assert {
    condition     = toset(keys(local.endpoints)) == toset([for file in fileset(path.module, "../functions/*/endpoint.yaml") : basename(dirname(file))])
    error_message = "Not every folder with an endpoint.yaml is an endpoint."
  }
  assert {
    condition     = toset(keys(local.functions)) == toset(concat(keys(local.endpoints), [for file in fileset(path.module, "../jobs/*/job.yaml") : basename(dirname(file))]))
    error_message = "Functions are not one for each endpoint and each job."
  }
  assert {
    condition = alltrue([
      for made in [
        google_cloud_run_v2_service_iam_member.invoker, google_cloud_scheduler_job.this, google_cloudfunctions2_function.this,
        google_pubsub_subscription.push, google_pubsub_subscription_iam_member.pubsub_agent, google_pubsub_topic.this,
        google_service_account.function, google_storage_bucket_object.source,
      ] : toset(keys(made)) == toset(keys(local.functions))
    ])
    error_message = "A function lacks its topic, subscription, Scheduler job, account, source or invoker's grant."
  }
  assert {
    condition = alltrue([
      for made in [google_bigquery_dataset_iam_member.function, google_project_iam_member.jobs, google_storage_bucket_iam_member.archive] :
      toset(keys(made)) == toset(keys(local.endpoints))
    ])
    error_message = "An endpoint lacks its grant of the dataset, of jobs or of the archive."
  }
  assert {
    condition     = toset([for _, grant in local.secret_grants : grant.function]) == toset(keys(local.endpoints))
    error_message = "An endpoint may not read a key."
  }
  assert {
    condition     = toset(keys(google_bigquery_table.endpoint)) == toset(flatten([for endpoint in values(local.endpoints) : keys(endpoint.tables)]))
    error_message = "Tables are not those that endpoints declare."
  }
  assert {
    condition     = alltrue([for name, job in google_cloud_scheduler_job.this : job.time_zone == "Etc/UTC" && base64decode(job.pubsub_target[0].data) == "{}" && job.paused])
    error_message = "A Scheduler job is not in UTC, its message is not {}, or it goes on though all are paused."
  }
  assert {
    condition     = alltrue([for name, function in google_cloudfunctions2_function.this : function.build_config[0].entry_point == name && function.service_config[0].available_memory == local.functions[name].memory])
    error_message = "A function's entry point or memory is not what is declared."
  }
  assert {
    condition = alltrue([
      for name, function in google_cloudfunctions2_function.this :
      function.service_config[0].timeout_seconds < google_pubsub_subscription.push[name].ack_deadline_seconds
    ])
    error_message = "A function may run on when its message is delivered again."
  }
  assert {
    condition     = length(google_pubsub_topic_iam_member.fan_out) == 0
    error_message = "With one account no function publishes."
  }
}

run "each_account_has_a_key_and_only_the_first_is_read_for_all" {
  command = plan

  variables {
    accounts = { red = { faction_id = 1, key = "key-red" }, blue = { faction_id = 2, key = "key-blue" } }
  }
  plan_options {
    target = [google_secret_manager_secret_iam_member.function, google_pubsub_topic_iam_member.fan_out]
  }

  assert {
    condition     = toset(keys(google_secret_manager_secret.key)) == toset(["key-blue", "key-red"])
    error_message = "There is not one secret for each account's key."
  }
  assert {
    condition = toset(keys(google_secret_manager_secret_iam_member.function)) == toset(flatten([
      for name, endpoint in local.endpoints : endpoint.scope == "global" ? ["${name}/key-blue"] : ["${name}/key-blue", "${name}/key-red"]
    ]))
    error_message = "A function reads another key than it asks the API with, or not all of those."
  }
  assert {
    condition     = toset(keys(google_pubsub_topic_iam_member.fan_out)) == toset([for name, endpoint in local.endpoints : name if endpoint.scope == "account"])
    error_message = "Those who divide a message among accounts may publish, and nobody else."
  }
}

# Years apart, and each half a year before its first reminder.
run "each_key_is_reminded_of_from_its_own_day" {
  command = plan

  variables {
    accounts = { red = { faction_id = 1, key = "key-red" }, blue = { faction_id = 2, key = "key-blue" } }
  }
  plan_options {
    target = [google_secret_manager_secret.key]
  }

  override_resource {
    target          = time_static.key_added["key-blue"]
    override_during = plan
    values          = { rfc3339 = "2026-01-01T00:00:00Z" }
  }
  override_resource {
    target          = time_static.key_added["key-red"]
    override_during = plan
    values          = { rfc3339 = "2028-01-01T00:00:00Z" }
  }

  assert {
    condition = { for key, secret in google_secret_manager_secret.key : key => secret.rotation[0].next_rotation_time } == {
      key-blue = "2026-06-30T00:00:00Z"
      key-red  = "2028-06-29T00:00:00Z"
    }
    error_message = "A key's first reminder is not half a year after it was added."
  }
}

run "accounts_without_a_key_share_the_endpoints_own" {
  command = plan

  variables {
    accounts = { red = { faction_id = 1 }, blue = { faction_id = 2, key = "key-blue" } }
  }
  plan_options {
    target = [google_secret_manager_secret.key]
  }

  assert {
    condition     = toset(keys(google_secret_manager_secret.key)) == toset(concat(["key-blue"], [for name, endpoint in local.endpoints : endpoint.key if endpoint.scope == "account"]))
    error_message = "The secrets are not the keys that functions read."
  }
}

run "instances_multiply_the_calls_of_a_key" {
  command = plan

  variables {
    max_instances = 100
  }
  plan_options {
    target = [terraform_data.checks]
  }

  expect_failures = [terraform_data.checks]
}

run "what_is_paused_must_be_there" {
  command = plan

  variables {
    paused = ["crime"]
  }
  plan_options {
    target = [terraform_data.checks]
  }

  expect_failures = [terraform_data.checks]
}
