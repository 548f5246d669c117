# The views: the ledger's, the answers of shared/views/*.sql, and the newest rows of every table that keeps readings.

locals {
  # A file's first comment says what a row is; the rest is SQL, with its tables as `${dataset}.crimes`.
  view_files = {
    for file in setunion(fileset(local.root, "shared/views/*.sql"), fileset(local.root, "shared/views/ledger/*.sql")) :
    trimsuffix(basename(file), ".sql") => regex("^((?:--[^\\n]*\\n)+)((?s).*)$", replace(file("${local.root}/${file}"), "\r\n", "\n"))
  }
  view_tables = {
    for name, parts in local.view_files : name => distinct([for match in regexall("`\\$\\{dataset\\}\\.(\\w+)`", parts[1]) : match[0]])
  }
  known_tables = concat(keys(local.tables), [for name, _ in local.ledger : trimsuffix(name, "_log")])

  file_views = {
    for name, parts in local.view_files : name => {
      description = join(" ", [for line in split("\n", trimspace(parts[0])) : trimspace(trimprefix(line, "--"))])
      query       = replace(trimspace(parts[1]), "$${dataset}", local.dataset)
    } if length(setsubtract(local.view_tables[name], local.known_tables)) == 0
  }

  ledger_views = {
    for name, table in local.ledger : trimsuffix(name, "_log") => {
      description = table.view.description
      query       = replace(table.view.query, "$${dataset}", local.dataset)
    }
  }

  # The tables that keep every reading → the column that says when it was.
  dated = {
    for name, table in local.tables : name => try([for column in local.column_order[name] : column if try(table.columns[column].source, null) == "$fetched_at"][0], "") # "": checks.tf
    if table.mode == "append" && anytrue([for column in values(table.columns) : column.source == "$fetched_at"])
  }
  # Those that have rows of their own to be newest: without a parent, or of one that keeps no readings.
  newest = {
    for endpoint, _ in local.endpoints : endpoint => [
      for name in sort(keys(local.dated)) : name
      if local.tables[name].endpoint == endpoint && !contains(keys(local.dated), coalesce(local.roots[name], "-"))
    ]
  }

  latest_views = {
    for name, when in local.dated : "${name}_latest" => {
      description = (
        length(local.tables[name].key) == 0 ? "The rows of the newest run in ${name}." :
        "The newest row of each ${join(" and ", local.tables[name].key)} in ${name}; _in_newest_run: whether the newest run had it."
      )
      query = templatefile("${path.module}/latest.sql.tftpl", {
        dataset = local.dataset
        table   = name
        when    = when
        columns = local.column_order[name]
        key     = length(local.tables[name].key) == 0 ? [] : concat(["_account"], local.tables[name].key)
        newest  = { for one in local.newest[local.tables[name].endpoint] : one => local.dated[one] }
      })
    } if length(local.newest[local.tables[name].endpoint]) > 0
  }

  answer_views = merge(local.file_views, local.latest_views)
  views        = merge(local.ledger_views, local.answer_views)
}
