"""Pages through the three logs with the client that openapi-python-client made."""

import os

from logbook_client import AuthenticatedClient
from logbook_client.api.access_log import list_access_events
from logbook_client.api.application_log import list_application_events
from logbook_client.api.framework_log import list_framework_events
from logbook_client.models import ListAccessEventsMetadata
from logbook_client.types import UNSET

client = AuthenticatedClient(base_url=os.environ["BASE_URL"], token=os.environ["TOKEN"], raise_on_unexpected_status=True)

for log, listing in {
    "ACCESS": list_access_events,
    "APPLICATION": list_application_events,
    "FRAMEWORK": list_framework_events,
}.items():
    seen, cursor = [], UNSET
    while True:
        page = listing.sync(os.environ["WORKSPACE"], client=client, cursor=cursor, limit=50)
        seen += [event.id for event in page.data]
        if not page.has_more:
            break
        cursor = page.next_cursor
    assert len(seen) == len(set(seen)) == int(os.environ[f"TOTAL_{log}"]), (log, len(seen))


# Parameters that have no name of their own in the contract, and a filter's twin.
def access_events(**filters):
    filters["metadata"] = ListAccessEventsMetadata.from_dict(filters.get("metadata", {}))
    return len(list_access_events.sync(os.environ["WORKSPACE"], client=client, limit=1000, **filters).data)


everything = access_events()
assert everything > 0
assert access_events(metadata={"metadata.nowhere": ["1"]}) == 0
assert access_events(metadata={"not_metadata.nowhere": ["1"]}) == everything
assert access_events(event_type=["login"]) + access_events(not_event_type=["login"]) == everything
