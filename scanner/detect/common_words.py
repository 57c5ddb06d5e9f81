"""
Provider words that ordinary text is full of.

Searched for by themselves they cost more than all other rules together (measured:
more than one in ten megabytes of two real repositories, or three letters or
fewer).  They are looked for only where something named like a credential is set.
"""

from __future__ import annotations

_COMMON = frozenset(
    """
    abstract accountkey airbrake alibaba alicloud approle asana aws awssecret azure
    azurewebsitesnet bearer bitbucket blobcorewindowsnet bootstrap checkout circle clay
    clientsecret cloudflare coda cohere cosmos cosmosdb courier crumb daily datadog
    devazurecom ditto docker entra etsy exoscale facebook figma fileio flat float front
    getresponse github gitlab google graph heroku hive hubspot hunter ibmcloud influx
    installation instantly ipinfo iterable jenkins jira kagi karma lark ldap line linear
    magnetic manifest mattermost meraki mite monday mongodb newrelic nexmo nvidia ocean
    pagerduty parsers pastebin paypal pendo phrase privacy privatekey protocols
    pushbullet redhat revamp routingkey sanity scaleway secretaccesskey secretid
    secretkey segment sentry sheet shortcut snowflake sonar spark splunk stability
    stable storage sumologic toggl tomorrow travis trello twilio twitter typetalk unify
    uptimerobot vagrant vault vultr webex wise youtube
    """.split()  # noqa: SIM905 # a list of 120 strings is 120 lines
)
_SHORT = 3


def common(word: str) -> bool:
    """
    Tell whether `word` is too common to be searched for by itself.
    """
    letters = "".join(character for character in word.lower() if character.isalnum())
    return len(letters) <= _SHORT or letters in _COMMON
