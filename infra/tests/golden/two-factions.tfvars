# An installation of another kind than the defaults': two factions, a prefix, other places, somebody to tell.
# Its plan is in two-factions.yaml, which a test compares.
accounts = {
  blue = { faction_id = 4321, key = "key-blue" }
  red  = { faction_id = 1234, key = "key-red" }
}
alert_emails              = ["leader@example.com"]
archive_days              = { nearline = 10 }
archive_delete_after_days = 400
billing_account           = "012345-6789AB-CDEF01"
dataset                   = "torn_test"
dataset_location          = "EU"
deletion_protection       = false
log_level                 = "DEBUG"
log_retention_days        = 30
monthly_budget            = 20
paused                    = ["backup", "basic"]
prefix                    = "test-"
project                   = "demo-project"
region                    = "europe-west3"
