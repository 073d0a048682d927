"""The outbox: events that wait to be sent, and what the relay remembers."""

from django.db import models
from django.db.models import Q
from django.utils import timezone


class OutboxEvent(models.Model):
    """An event that is committed with the app's data and deleted once Logbook has it.

    It has no number when it is written: a transaction that is rolled back would leave a hole, and one that commits late would come after
    higher numbers. The relay numbers the rows that it finds committed, and stores the numbers before it sends, so that a relay that is
    killed sends the same numbers again.
    """

    id = models.BigAutoField(primary_key=True)
    created_at = models.DateTimeField(default=timezone.now)
    dedupe_key = models.CharField(max_length=255)
    log = models.CharField(max_length=16)
    payload = models.TextField()
    epoch = models.CharField(max_length=64, null=True)
    sequence = models.BigIntegerField(null=True)

    class Meta:
        db_table = "logbook_outboxevent"
        # Partial: writing an event does not touch it.
        indexes = (models.Index(fields=["sequence"], name="logbook_outbox_numbered", condition=Q(sequence__isnull=False)),)

    def __str__(self) -> str:
        return f"{self.log} event {self.dedupe_key}"


class OutboxState(models.Model):
    """The one row (id 1) that belongs to an outbox. Whoever changes which rows are numbered or dropped locks it first."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    # The run of the counter, and the last number that was given.
    epoch = models.CharField(max_length=64)
    sequence = models.BigIntegerField(default=0)
    # The relay that works, and until when it may without saying so again. A relay that waits after an error is not the owner, so that
    # another may try, and goes on saying until when it looks after the bound of the outbox.
    owner = models.CharField(max_length=64, null=True)
    lease_until = models.DateTimeField(null=True)
    # Events that were dropped since the last `events_dropped` was written.
    dropped = models.BigIntegerField(default=0)
    dropped_from = models.DateTimeField(null=True)
    dropped_to = models.DateTimeField(null=True)
    # What `logbook_status` tells.
    sent = models.BigIntegerField(default=0)
    last_sent_at = models.DateTimeField(null=True)
    last_error = models.TextField(null=True)
    last_error_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "logbook_outboxstate"

    def __str__(self) -> str:
        return f"epoch {self.epoch}, sequence {self.sequence}"
