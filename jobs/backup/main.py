"""Back up every table, once a day; when, and what it may do, is in job.yaml."""

import functions_framework
from cloudevents.http import CloudEvent

from shared.backup.job import BackupJob

job = BackupJob.of(__file__)


@functions_framework.cloud_event
def backup(event: CloudEvent) -> None:
    """Make the day's backup, unless it is there."""
    job.handle(event)
