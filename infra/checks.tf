# What would fail later, or badly, fails the plan: each with what is wrong, where, and what to do.

locals {
  # The grammar, as `make generate` writes it from shared/endpoint.py.
  schema  = jsondecode(file("${local.root}/functions/endpoint.schema.json"))
  grammar = { for name, of in local.schema["$defs"] : name => keys(of.properties) }

  column_types = local.schema["$defs"].Column.properties.type.enum

  # Every key of every file that the grammar does not know, with where it stands.
  unknown_keys = concat(flatten([
    for folder, file in local.declared : concat(
      [for key in setsubtract(try(keys(file), []), local.grammar.Endpoint) : "functions/${folder}/endpoint.yaml: ${key}"],
      flatten([for name, request in try({ for name, of in file.requests : name => of }, {}) : [
        for key in setsubtract(try(keys(request), []), local.grammar.Request) : "functions/${folder}/endpoint.yaml: requests.${name}.${key}"
      ]]),
      flatten([for name, table in local.declared_tables[folder] : concat(
        [for key in setsubtract(try(keys(table), []), local.grammar.Table) : "functions/${folder}/endpoint.yaml: tables.${name}.${key}"],
        flatten([for column, of in local.declared_columns[folder][name] : concat(
          [for key in setsubtract(try(keys(of), []), local.grammar.Column) : "functions/${folder}/endpoint.yaml: tables.${name}.columns.${column}.${key}"],
          [for key in setsubtract(try(keys(of.check), []), local.grammar.Check) : "functions/${folder}/endpoint.yaml: tables.${name}.columns.${column}.check.${key}"],
        )]),
      )]),
    )
    ]), flatten([
    for folder, file in local.declared_jobs : [
      for key in setsubtract(try(keys(file), []), ["name", "description", "every", "memory", "timeout", "permissions", "project_permissions"]) : "jobs/${folder}/job.yaml: ${key}"
    ]
  ]))

  missing_files = [for file, _ in local.repository_texts : file if !fileexists("${local.root}/${file}")]

  # What is of another kind than the grammar wants, which would say nothing of itself, or only something obscure.
  misshapen = flatten([
    for folder, file in local.declared : [for where in concat(
      can(keys(file)) ? [] : ["no YAML, or no map of keys"],
      [for key in ["requests", "tables"] : "${key}: a map of names is wanted" if try(file[key], null) != null && !can(keys(file[key]))],
      try(length(keys(file.tables)) > 0, true) ? [] : ["tables: at least one is wanted"],
      [for name, request in try({ for name, of in file.requests : name => of if can(keys(file.requests)) }, {}) : "requests.${name}: a map of keys is wanted" if !can(keys(request))],
      try(file.calls_per_minute, null) == null || can(tonumber(file.calls_per_minute)) ? [] : ["calls_per_minute: a number is wanted"],
      flatten([for name, table in local.declared_tables[folder] : concat(
        can(keys(table)) ? [] : ["tables.${name}: a map of keys is wanted"],
        can(keys(table)) && try(length(keys(table.columns)), 0) == 0 ? ["tables.${name}.columns: a map of columns is wanted"] : [],
        try(table.parent, null) == null || can(keys(table.parent)) ? [] : ["tables.${name}.parent: a map of columns is wanted"],
        [for key in ["cluster", "key"] : "tables.${name}.${key}: a list of columns is wanted" if try(table[key], null) != null && !can(tolist(table[key]))],
        flatten([for column, of in local.declared_columns[folder][name] : concat(
          contains(local.column_types, try(of.type, "-")) ? [] : ["tables.${name}.columns.${column}: a type is wanted, one of ${join(", ", local.column_types)}"],
          try(of.check, null) == null || can(keys(of.check)) ? [] : ["tables.${name}.columns.${column}.check: a map of rules is wanted"],
        )]),
      )]),
    ) : "functions/${folder}/endpoint.yaml: ${where}"]
  ])

  missing_keys = flatten([
    for folder, file in local.declared : [
      for key in ["name", "description", "source", "requests", "every", "key", "calls_per_minute", "tables"] : "functions/${folder}/endpoint.yaml: ${key}"
      if can(keys(file)) && try(file[key], null) == null
    ]
  ])

  misnamed = concat(
    [for folder, file in local.declared : "functions/${folder} is named ${try(tostring(file.name), "nothing")}" if try(file.name, "") != folder],
    [for folder, file in local.declared_jobs : "jobs/${folder} is named ${try(tostring(file.name), "nothing")}" if try(file.name, "") != folder],
  )
  taken_names = setintersection(concat(keys(local.jobs), ["dead-letters", "key-rotation"]), keys(local.endpoints))

  table_owners = flatten([for endpoint, one in local.endpoints : [for table, _ in one.tables : { table = table, endpoint = endpoint }]])
  shared_tables = [
    for table, _ in local.tables : "${table} (${join(", ", [for one in local.table_owners : one.endpoint if one.table == table])})"
    if length([for one in local.table_owners : one if one.table == table]) > 1
  ]
  reserved_tables = setintersection(keys(local.tables), keys(local.views))

  undivided = [
    for name, function in local.functions : "${function.folder}/${function.declaration}: every: ${local.every[name]}" if !local.divides_a_day[name]
  ]
  too_often = [
    for name, endpoint in local.endpoints : "${name} (${endpoint.every})"
    if local.minutes[name] > 0 && local.minutes[name] < 5 && endpoint.writer != "stream"
  ]

  unplaced_columns = flatten([
    for name, table in local.tables : [
      for column in setsubtract(keys(local.columns[name]), local.column_order[name]) : "functions/${table.endpoint}/endpoint.yaml: tables.${name}.columns.${column}"
    ]
  ])
  unknown_columns = flatten([
    for name, table in local.tables : [
      for where, columns in { cluster = table.cluster, key = table.key, partition = compact([table.partition]) } : [
        for column in columns : "functions/${table.endpoint}/endpoint.yaml: tables.${name}.${where}: ${column}" if !contains(keys(local.columns[name]), column)
      ]
    ]
  ])
  unknown_parents = flatten([
    for name, table in local.tables : [
      for own, theirs in table.parent : "functions/${table.endpoint}/endpoint.yaml: tables.${name}.parent.${own}: ${theirs}"
      if try(local.columns[name][own], null) == null
    ]
  ])

  calls_per_key = 100
  # key → the sum, written out.
  key_sums = {
    for key, names in local.key_endpoints : key => format(
      "%s = %d%s", join(" + ", [for name in names : "${name} ${local.endpoints[name].calls_per_minute}"]),
      local.key_calls[key], var.max_instances == 1 ? "" : " with ${var.max_instances} instances each",
    )
  }
  exceeded_keys = [for key, calls in local.key_calls : "${key}: ${local.key_sums[key]}" if calls > local.calls_per_key]
}

resource "terraform_data" "checks" {
  # What is checked; so that a plan shows when it changes.
  input = { for key, sum in local.key_sums : key => sum }

  lifecycle {
    precondition {
      condition     = length(local.declared) > 0
      error_message = "There is no functions/*/endpoint.yaml: is this the infra/ folder of a whole checkout?"
    }
    precondition {
      condition     = length(local.unknown_keys) == 0
      error_message = "Unknown keys, misspelt perhaps: ${join("; ", local.unknown_keys)}. functions/endpoint.schema.json has those that there are; `tcdatalogger endpoints` says more."
    }
    precondition {
      condition     = length(local.missing_keys) == 0
      error_message = "Missing: ${join("; ", local.missing_keys)}. `tcdatalogger endpoints` says what each is."
    }
    precondition {
      condition     = length(local.missing_files) == 0
      error_message = "These files are not there: ${join(", ", local.missing_files)}. An endpoint has a main.py as others have, with a function of the folder's name; `tcdatalogger new` writes one."
    }
    precondition {
      condition     = length(local.misshapen) == 0
      error_message = "Not as it is to be written: ${join("; ", local.misshapen)}. `tcdatalogger endpoints --check` says more, with the line."
    }
    precondition {
      condition     = length(local.misnamed) == 0
      error_message = "The name is not the folder's: ${join("; ", local.misnamed)}. Folder, function, topic and entry point have one name."
    }
    precondition {
      condition     = length(local.taken_names) == 0
      error_message = "A job or a topic of the installation has this name already: ${join(", ", local.taken_names)}. Rename the endpoint's folder."
    }
    precondition {
      condition     = length(setsubtract(var.paused, concat(["*"], keys(local.functions)))) == 0
      error_message = "paused names what there is not: ${join(", ", setsubtract(var.paused, concat(["*"], keys(local.functions))))}. There are: ${join(", ", keys(local.functions))}, or * for all."
    }
    precondition {
      condition     = length(local.shared_tables) == 0
      error_message = "More than one endpoint declares these tables: ${join("; ", local.shared_tables)}. A table's rows come from one endpoint; rename one."
    }
    precondition {
      condition     = length(local.reserved_tables) == 0
      error_message = "A view or a table of the ledger has this name: ${join(", ", local.reserved_tables)}. Rename the endpoint's table."
    }
    precondition {
      condition     = length(local.undivided) == 0
      error_message = "No interval that divides a day, so that its slots would drift: ${join("; ", local.undivided)}. Take PT5M, PT15M, PT1H, PT1H30M, PT6H, PT12H or P1D, say; seconds, months and years are not possible."
    }
    precondition {
      condition     = length(local.too_often) == 0
      error_message = "Under PT5M needs `writer: stream`: ${join("; ", local.too_often)}. A BigQuery table takes 1,500 load jobs a day, failed ones too."
    }
    precondition {
      condition     = length(local.unknown_parents) == 0
      error_message = "No such column in the parent: ${join("; ", local.unknown_parents)}. `tcdatalogger endpoints` says which there are."
    }
    precondition {
      condition     = length(local.unknown_columns) == 0
      error_message = "The table has no such column: ${join("; ", local.unknown_columns)}. Correct the name, or declare the column."
    }
    precondition {
      condition     = length(local.unplaced_columns) == 0
      error_message = "The place of these columns in their tables is not known: ${join("; ", local.unplaced_columns)}. Give each column a line of its own, indented by six spaces, or run `tcdatalogger schema release`."
    }
    precondition {
      condition     = length(local.exceeded_keys) == 0
      error_message = "More calls a minute than the API allows one user (${local.calls_per_key}): ${join("; ", local.exceeded_keys)}. Lower calls_per_minute in endpoint.yaml, max_instances, or give accounts keys of different users."
    }
  }
}
