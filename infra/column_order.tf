# The order of columns. It matters, for a reordered schema replaces the table, and yamldecode loses it: it sorts keys.
# So it is read from where it still is: first released.json, which only grows; then the lines of endpoint.yaml, where
# each column has a line of its own. checks.tf refuses a file where a column's place is not found.

locals {
  yaml_texts = { for name, _ in local.declared : name => replace(file("${local.root}/functions/${name}/endpoint.yaml"), "\r\n", "\n") }

  # What stands below `tables:`, up to the file's next key.
  yaml_tables = { for name, text in local.yaml_texts : name => try(regex("^(?:[ \\t#][^\\n]*\\n|\\n)*", "${split("\ntables:\n", text)[1]}\n"), "") }

  # What stands below a table's name, up to the next table.
  yaml_blocks = {
    for name, table in local.tables : name => try(
      regex("^[^\\n]*\\n(?:(?: {3}[^\\n]*|[ \\t]*(?:#[^\\n]*)?)\\n)*", "${split("\n  ${name}:", "\n${local.yaml_tables[table.endpoint]}")[1]}\n"),
      "",
    )
  }
  yaml_columns = { for name, text in local.yaml_blocks : name => try(regex("^(?:(?: {5}[^\\n]*|[ \\t]*(?:#[^\\n]*)?)\\n)*", split("\n    columns:\n", text)[1]), "") }
  yaml_parents = { for name, text in local.yaml_blocks : name => try(regex("^[^\\n]*\\n(?: {5}[^\\n]*\\n)*", split("\n    parent:", text)[1]), "") }

  released = {
    for name, _ in local.declared : name => try(jsondecode(file("${local.root}/functions/${name}/released.json")).tables, {})
  }

  column_order = {
    for name, table in local.tables : name => distinct(concat(
      [for column in try(local.released[table.endpoint][name].columns, []) : column.name if contains(keys(local.columns[name]), column.name)],
      ["_run_id", "_account"],
      [for match in regexall("([a-z][a-z0-9_]*) *:", local.yaml_parents[name]) : match[0] if contains(keys(table.parent), match[0])],
      [for match in regexall("(?m)^ {6}([a-z][a-z0-9_]*):", local.yaml_columns[name]) : match[0] if contains(keys(table.columns), match[0])],
    ))
  }
}
