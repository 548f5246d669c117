# The tables that endpoints declare, as BigQuery has them: the columns of every table, the parent's, then its own.

locals {
  every_table_has = {
    _run_id  = { type = "STRING", mode = "REQUIRED", description = "The run that wrote the row." }
    _account = { type = "STRING", mode = "REQUIRED", description = "The account it was read for." }
  }

  # table → what is declared. No two endpoints have a table of one name: checks.tf.
  tables = merge([
    for endpoint, one in local.endpoints : {
      for name, table in one.tables : name => merge(table, { endpoint = endpoint, name = name, version = one.version })
    }
  ]...)

  # Which request feeds a table: its own, or that of the table that it is `of`, and so on.
  table_requests = {
    for name, table in local.tables : name => try(coalesce(
      table.request,
      try(local.tables[table.of].request, null),
      try(local.tables[local.tables[table.of].of].request, null),
      length(local.endpoints[table.endpoint].requests) == 1 ? local.endpoints[table.endpoint].requests[0] : null,
    ), "")
  }

  # The table of the records that a table's rows are part of; null when there is none.
  roots = {
    for name, table in local.tables : name => table.each == null ? null : table.of != null ? table.of : try([
      for other, one in local.tables : other
      if one.endpoint == table.endpoint && one.each == null && one.of == null && local.table_requests[other] == local.table_requests[name]
    ][0], null)
  }

  # A parent's column may be its parent's: each step looks one table further up, and four are more than any has.
  columns_0 = { for name, table in local.tables : name => merge(local.every_table_has, table.columns) }
  columns_1 = { for name, table in local.tables : name => merge(local.columns_0[name], { for own, theirs in table.parent : own => try(local.columns_0[local.roots[name]][theirs], null) }) }
  columns_2 = { for name, table in local.tables : name => merge(local.columns_0[name], { for own, theirs in table.parent : own => try(local.columns_1[local.roots[name]][theirs], null) }) }
  columns_3 = { for name, table in local.tables : name => merge(local.columns_0[name], { for own, theirs in table.parent : own => try(local.columns_2[local.roots[name]][theirs], null) }) }
  columns   = { for name, table in local.tables : name => merge(local.columns_0[name], { for own, theirs in table.parent : own => try(local.columns_3[local.roots[name]][theirs], null) }) }

  # What a parent requires, a child does only where it is part of the parent's key.
  required = {
    for name, table in local.tables : name => {
      for column, of in local.columns[name] : column => try(of.mode, "") == "REQUIRED" && (
        !contains(keys(table.parent), column) || try(contains(local.tables[local.roots[name]].key, table.parent[column]), false)
      )
    }
  }

  # table → its schema, in order.
  table_schemas = {
    for name, order in local.column_order : name => [
      for column in order : {
        name        = column
        type        = try(local.columns[name][column].type, "")
        mode        = local.required[name][column] ? "REQUIRED" : "NULLABLE"
        description = try(substr(local.columns[name][column].description, 0, 1024), "")
      }
    ]
  }

  # Every replace and merge, and most questions, are one account's; a table can be clustered by four columns.
  table_clusters = {
    for name, table in local.tables : name => slice(concat(["_account"], table.cluster), 0, min(4, 1 + length(table.cluster)))
  }
}
