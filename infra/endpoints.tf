# What functions/*/endpoint.yaml declare, with the grammar's defaults filled in. Everything else reads local.endpoints:
# a new folder there is a new topic, subscription, schedule, function, tables and alerts, with no edit here.

locals {
  root = "${path.module}/.."

  # folder → the file as it is written; null where it is no YAML: checks.tf names it.
  declared = {
    for file in fileset(local.root, "functions/*/endpoint.yaml") :
    basename(dirname(file)) => try(yamldecode(file("${local.root}/${file}")), null)
  }

  # What is no map where one is wanted counts as empty, so that checks.tf can say so.
  declared_tables = {
    for folder, file in local.declared : folder => try({ for name, table in file.tables : name => table if can(keys(file.tables)) }, {})
  }
  declared_columns = {
    for folder, tables in local.declared_tables : folder => {
      for name, table in tables : name => try({ for column, of in table.columns : column => of if can(keys(table.columns)) }, {})
    }
  }

  endpoints = {
    for folder, file in local.declared : folder => {
      description      = try(tostring(file.description), "")
      scope            = try(tostring(file.scope), "account")
      every            = try(tostring(file.every), "")
      key              = try(tostring(file.key), "")
      calls_per_minute = try(tonumber(file.calls_per_minute), 0)
      memory           = try(tostring(file.memory), "512Mi")
      writer           = try(tostring(file.writer), "load")
      version          = try(tonumber(file.version), 1)
      requests         = try(keys(file.requests), [])
      tables = {
        for name, table in local.declared_tables[folder] : name => {
          description = try(tostring(table.description), "")
          request     = try(tostring(table.request), null)
          of          = try(tostring(table.of), null)
          each        = try(tostring(table.each), null)
          parent      = try({ for own, theirs in table.parent : own => tostring(theirs) }, {})
          key         = try([for column in table.key : tostring(column)], [])
          mode        = try(tostring(table.mode), "append")
          partition   = try(tostring(table.partition), null)
          cluster     = try([for column in table.cluster : tostring(column)], [])
          columns = {
            for column, of in local.declared_columns[folder][name] : column => {
              type        = try(tostring(of.type), "")
              mode        = try(tostring(of.mode), "NULLABLE")
              description = try(tostring(of.description), "")
              source      = try(tostring(of.from), null)
            }
          }
        }
      }
    }
  }

  # Where none are configured there is one account, which functions name `default`.
  accounts = length(var.accounts) > 0 ? var.accounts : { default = { faction_id = null, key = null } }

  # An endpoint of scope global is read once for all, with the first key that any account names, as the function does.
  account_keys = compact([for name in sort(keys(local.accounts)) : local.accounts[name].key])
  global_key   = try(local.account_keys[0], null)

  # endpoint → the keys that it reads with.
  endpoint_keys = {
    for name, endpoint in local.endpoints : name => endpoint.scope == "global" ? [local.global_key == null ? endpoint.key : local.global_key] : distinct([
      for account in values(local.accounts) : account.key == null ? endpoint.key : account.key
    ])
  }
  keys = toset(compact(flatten(values(local.endpoint_keys))))

  # key → the endpoints that call with it; the API counts a user's calls over all of them.
  key_endpoints = {
    for key in local.keys : key => [for name in sort(keys(local.endpoints)) : name if contains(local.endpoint_keys[name], key)]
  }
  key_calls = {
    for key, names in local.key_endpoints : key => sum([for name in names : local.endpoints[name].calls_per_minute]) * var.max_instances
  }
}
