"""Route 53: hosted zones and change batches.

The texts of errors are as Route 53 answers them; where a quote has no source it is from the Amazon Route 53 API
reference, ChangeResourceRecordSets.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.embedded.refusals import refused
from tests.embedded.zones import Zone, alias, change, simple, weighted
from tests.embedded_process import EmbeddedProcess

APP = "app.example.com"


@pytest.fixture
def zone(quick_process: EmbeddedProcess) -> Iterator[Zone]:
    """The public hosted zone example.com."""
    quick_process.reset()
    return Zone(quick_process)


def test_a_zone_begins_with_ns_and_soa(zone: Zone) -> None:
    """CreateHostedZone: "automatically creates a default SOA record and four NS records for the zone"; PENDING."""
    assert zone.created["ChangeInfo"]["Status"] == "PENDING"
    found = zone.route53.list_resource_record_sets(HostedZoneId=zone.id)["ResourceRecordSets"]
    assert [(each["Name"], each["Type"], each["TTL"]) for each in found] == [
        ("example.com.", "NS", 172800),
        ("example.com.", "SOA", 900),
    ]
    assert len(found[0]["ResourceRecords"]) == 4


@pytest.mark.parametrize("name", ["", ".", "a..example", f"{'a' * 64}.example", "a." * 128])
def test_a_zone_has_the_name_of_a_domain(zone: Zone, name: str) -> None:
    """InvalidDomainName (API): 'The specified domain name is not valid.' RFC 1035, 2.3.4: labels of 63 octets, 255 in
    all.
    """
    with refused("InvalidDomainName", "The specified domain name is not valid."):
        zone.route53.create_hosted_zone(Name=name, CallerReference=f"for {name[:9]}")


def test_every_zone_has_name_servers_of_its_own(zone: Zone) -> None:
    """ "By default, Route 53 assigns a unique set of four name servers (known collectively as a delegation set) to each
    hosted zone that you create." (Developer Guide, "Configuring white-label name servers")
    """
    sets = [zone.created["DelegationSet"]["NameServers"]]
    for reference in ("first", "second"):
        made = zone.route53.create_hosted_zone(Name="again.org", CallerReference=reference)
        sets.append(made["DelegationSet"]["NameServers"])
    assert [len(each) for each in sets] == [4, 4, 4]
    assert len({server for each in sets for server in each}) == 12


def test_a_caller_reference_counts_once(zone: Zone) -> None:
    """HostedZoneAlreadyExists: "when a hosted zone has already been created with the specified CallerReference"."""
    with refused("HostedZoneAlreadyExists", "already been created with the specified caller reference"):
        zone.route53.create_hosted_zone(Name="other.com", CallerReference="example.com-{}")


def test_names_are_shown_in_one_form(zone: Zone) -> None:
    """ "DNS domain name format": small letters, a dot at the end, other characters as an escape (``*`` is \\052)."""
    zone.create(simple("App.example.COM", "x.example.net"), simple("*.example.com", "y.example.net"))
    assert [each["Name"] for each in zone.records()] == ["\\052.example.com.", "app.example.com."]


def test_a_listing_is_in_order_and_paged(zone: Zone) -> None:
    """ListResourceRecordSets "sorts results first by DNS name with the labels reversed", and pages by identifier."""
    names = ["b.a.example.com", "z.example.com"]
    zone.create(
        *(simple(name, "x.example.net") for name in names),
        *(weighted("m.example.com", value, 1) for value in ("two.example.net", "one.example.net")),
    )
    seen: list[tuple[str, str | None]] = []
    more: dict[str, Any] = {}
    while more.get("IsTruncated", True):
        start = {f"Start{key[4:]}": value for key, value in more.items() if key.startswith("NextRecord")}
        more = zone.route53.list_resource_record_sets(HostedZoneId=zone.id, MaxItems="1", **start)
        seen += [(each["Name"], each.get("SetIdentifier")) for each in more["ResourceRecordSets"]]
    assert seen[2:] == [
        ("b.a.example.com.", None),
        ("m.example.com.", "one.example.net"),
        ("m.example.com.", "two.example.net"),
        ("z.example.com.", None),
    ]


def test_a_change_is_pending_until_every_server_knows(zone: Zone) -> None:
    """GetChange: PENDING, "the initial status of all change batch requests", then INSYNC."""
    info = zone.create(simple(APP, "x.example.net"))
    assert info["Status"] == "PENDING"
    assert info["Id"].startswith("/change/C")
    zone.await_sync(info)


def test_an_unknown_change(zone: Zone) -> None:
    """NoSuchChange: "A change with the specified change ID does not exist"."""
    with refused("NoSuchChange"):
        zone.route53.get_change(Id="C2682N5HXP0BZ4")


def test_a_batch_is_all_or_nothing(zone: Zone) -> None:
    """ "either makes all or none of the changes in the change batch request"; each error is told."""
    zone.create(simple(APP, "x.example.net"))
    messages = (
        "[Tried to create resource record set [name='app.example.com.', type='CNAME'] but it already exists, "
        "RRSet with DNS name app.example.org. is not permitted in zone example.com.]"
    )
    with refused("InvalidChangeBatch", messages):
        zone.create(
            simple("new.example.com", "x.example.net"),
            simple(APP, "y.example.net"),
            simple("app.example.org", "x.example.net"),
        )
    assert [each["Name"] for each in zone.records()] == ["app.example.com."]


def test_upsert_makes_or_changes(zone: Zone) -> None:
    """UPSERT: "If a resource record set doesn't already exist, Route 53 creates it", otherwise updates it."""
    for value in ("x.example.net", "y.example.net"):
        zone.change(change("UPSERT", simple(APP, value)))
    assert [each["ResourceRecords"] for each in zone.records()] == [[{"Value": "y.example.net"}]]


def test_deleting_takes_all_the_same_values(zone: Zone) -> None:
    """ "you must specify all the same values that you specified when you created it." """
    record = simple(APP, "x.example.net")
    missing = (
        "Tried to delete resource record set [name='app.example.com.', type='CNAME'] but it was not found"
    )
    with refused("InvalidChangeBatch", missing):
        zone.change(change("DELETE", record))
    zone.create(record)
    with refused("InvalidChangeBatch", "but the values provided do not match the current values"):
        zone.change(change("DELETE", {**record, "TTL": 60}))
    zone.change(change("DELETE", record))
    assert zone.records() == []


def test_deleting_twice_in_one_batch(zone: Zone) -> None:
    """ "If you try to delete the same resource record set more than once in a single change batch, Route 53 returns an
    InvalidChangeBatch error." """
    record = simple(APP, "x.example.net")
    zone.create(record)
    told = "The request contains an invalid set of changes for a resource record set 'CNAME app.example.com.'"
    with refused("InvalidChangeBatch", told):
        zone.change(change("DELETE", record), change("DELETE", record))


def test_one_kind_gives_way_to_another_in_one_batch(zone: Zone) -> None:
    """ "Route 53 deletes the first resource record set and creates the second … in a single operation"."""
    record = simple(APP, "x.example.net")
    zone.create(record, simple("other.example.com", "192.0.2.1", "A"))
    zone.change(change("DELETE", record), change("CREATE", alias(APP, "other.example.com", zone.id)))
    assert [each["Type"] for each in zone.records()] == ["A", "A"]


def test_no_cname_at_the_apex(zone: Zone) -> None:
    """Developer Guide, "CNAME record type": not for the zone apex, which has SOA and NS records already."""
    told = "RRSet of type CNAME with DNS name example.com. is not permitted at apex in zone example.com."
    with refused("InvalidChangeBatch", told):
        zone.create(simple("example.com", "x.example.net"))


def test_no_cname_beside_another_type(zone: Zone) -> None:
    """Developer Guide, "CNAME record type": a name that has a CNAME has no other records."""
    zone.create(simple(APP, "192.0.2.1", "A"))
    told = "is not permitted as it conflicts with other records with the same DNS name in zone example.com."
    with refused("InvalidChangeBatch", f"RRSet of type CNAME with DNS name {APP}. {told}"):
        zone.create(simple(APP, "x.example.net"))


@pytest.mark.parametrize(("kind", "value"), [("A", "192.0.2.1"), ("TXT", '"x"')])
def test_no_other_type_beside_a_cname(zone: Zone, kind: str, value: str) -> None:
    """The other way round Route 53 has another text, as users report it."""
    zone.create(simple(APP, "x.example.net"))
    told = "is not permitted because a conflicting RRSet of type CNAME with the same DNS name already exists in zone"
    with refused("InvalidChangeBatch", f"RRSet of type {kind} with DNS name {APP}. {told} example.com."):
        zone.create(simple(APP, value, kind))


def test_a_cname_has_one_value(zone: Zone) -> None:
    """ResourceRecord.Value: "You can specify more than one value for all record types except CNAME and SOA." """
    record = simple(APP, "x.example.net")
    two = {**record, "ResourceRecords": [{"Value": "x.example.net"}, {"Value": "y.example.net"}]}
    with refused("InvalidChangeBatch"):
        zone.create(two)
    zone.create({**two, "Type": "TXT", "ResourceRecords": [{"Value": '"x"'}, {"Value": '"y"'}]})


UNQUOTED = "InvalidCharacterString (Value should be enclosed in quotation marks)"
TOO_LONG = "CharacterStringTooLong (Value is too long)"
NO_PRIORITY = "MXRRDATANotTwoFields (MX record doesn't have 2 fields)"
NO_SRV = "SRVRRDATANotFourFields (SRV record doesn't have 4 fields)"


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        ("AAAA", "192.0.2.1", "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"),
        ("AAAA", "fe80::1%eth0", "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"),
        ("A", "app.example.net", "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"),
        ("A", "192.0.2.01", "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"),
        ("A", "192.0.2.1 192.0.2.2", "ARRDATANotSingleField (Value contains spaces)"),
        ("CNAME", "a..b", "DomainLabelEmpty (Domain label is empty)"),
        ("NS", f"{'x' * 64}.example.net", "DomainLabelTooLong (Domain label is too long)"),
        ("PTR", "a..b", "DomainLabelEmpty (Domain label is empty)"),
        ("MX", "mail.example.net", NO_PRIORITY),
        ("MX", "10 mail.example.net mail.example.org", NO_PRIORITY),
        ("MX", "10 mail..example.net", "DomainLabelEmpty (Domain label is empty)"),
        ("SRV", "10 5 app.example.net", NO_SRV),
        ("SRV", "1 1 32769 ip-10-0-6-110.testapi. eu-central-1.compute.internal.", NO_SRV),
        ("CAA", "0 issue amazon.com", UNQUOTED),
        ("TXT", "v=spf1 -all", UNQUOTED),
        ("TXT", '"v=spf1', UNQUOTED),
        ("TXT", '"a" b', UNQUOTED),
        ("TXT", '""v=1""', UNQUOTED),
        ("TXT", f'"{"x" * 256}"', TOO_LONG),
        ("SPF", f'"x" "{"y" * 256}"', TOO_LONG),
    ],
)
def test_a_value_that_its_type_does_not_take(zone: Zone, kind: str, value: str, problem: str) -> None:
    """ "Supported DNS record types": TXT has texts in quotation marks of up to 255 characters, MX a priority and a
    name, SRV three numbers and a name, CAA a value that is always in quotation marks. The texts of the errors are those
    that users report: of MX in GSA-TTS/dns, pull request 373, of SRV in amazon-archives/service-discovery-ecs-dns,
    issue 23.
    """
    told = f"Invalid Resource Record: 'FATAL problem: {problem} encountered with '{value}''"
    with refused("InvalidChangeBatch", told):
        zone.create(simple(APP, value, kind))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("MX", "high mail.example.net"),
        ("MX", "65536 mail.example.net"),
        ("SRV", "10 5 https app.example.net"),
        ("SRV", "10 5 65536 app.example.net"),
        ("CAA", "amazon.com"),
        ("CAA", '256 issue "amazon.com"'),
        ("CAA", '0 is-sue "amazon.com"'),
        ("NAPTR", '100 50 "u" "sip+E2U" replacement.example.net'),
        ("NAPTR", '100 fifty "u" "sip+E2U" "!^.*$!sip:info@example.net!" .'),
        ("NAPTR", "100 50 u sip+E2U !^.*$!sip:info@example.net! ."),
        ("NS", "ns-1.example.net ns-2.example.net"),
        ("PTR", ".".join(["x" * 60] * 5)),
        ("CNAME", " "),
        ("NS", "  "),
    ],
)
def test_a_value_that_is_refused_in_our_words(zone: Zone, kind: str, value: str) -> None:
    """ "Supported DNS record types" has the formats: "MX record type", "SRV record type", "CAA record type", "NAPTR
    record type"; "DNS domain name format": 255 bytes. The words are our own.
    """
    with refused("InvalidChangeBatch", f" encountered with '{value}''"):
        zone.create(simple(APP, value, kind))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("A", "192.0.2.1"),
        ("AAAA", "2001:0db8:85a3:0:0:abcd:1:2345"),
        ("CAA", '0 issue "ca.example.net; account=123456"'),
        ("CAA", '128 iodef "mailto:security@example.net"'),
        ("MX", "10 mail.example.net."),
        ("MX", "0 ."),
        ("NAPTR", '100 50 "u" "sip+E2U" "!^(\\\\+441632960083)$!sip:\\\\1@example.com!" .'),
        ("NAPTR", '100 51 "u" "h323+E2U" "!^\\\\+441632960083$!h323:operator@example.com!" .'),
        ("NAPTR", '100 50 "S" "SIP+D2U" "" _sip._udp.example.net'),
        ("PTR", "hostname.example.net"),
        ("SPF", '"v=spf1 ip4:192.168.0.1/16 -all"'),
        ("SRV", "10 5 80 hostname.example.net"),
        ("SRV", "0 0 0 ."),
    ],
)
def test_the_developer_guides_values_are_taken(zone: Zone, kind: str, value: str) -> None:
    """ "Supported DNS record types" has an example of each."""
    zone.create(simple(APP, value, kind))
    assert zone.records()[0]["ResourceRecords"] == [{"Value": value}]


@pytest.mark.parametrize(
    "value", ['"v=spf1 -all"', f'"{"x" * 255}" "{"y" * 255}"', '"a\\"b"', '"a""b"', '""']
)
def test_texts_that_a_record_takes(zone: Zone, value: str) -> None:
    """ "TXT record type": longer values as several texts in one, a quotation mark after a backslash."""
    zone.create(simple(APP, value, "TXT"))
    assert zone.records()[0]["ResourceRecords"] == [{"Value": value}]


def test_a_weighted_record_beside_a_simple_one(zone: Zone) -> None:
    """ResourceRecordSet.SetIdentifier is for records "that have a routing policy other than simple": no mixing."""
    zone.create(simple(APP, "x.example.net"))
    told = (
        "RRSet with DNS name app.example.com., type CNAME, SetIdentifier y.example.net cannot be created as a "
        "non-weighted set exists with the same name and type."
    )
    with refused("InvalidChangeBatch", told):
        zone.create(weighted(APP, "y.example.net", 0))


def test_a_simple_record_beside_weighted_ones(zone: Zone) -> None:
    """The other way round."""
    zone.create(weighted(APP, "x.example.net", 1))
    told = "RRSet with DNS name app.example.com., type CNAME cannot be created as other RRSets exist"
    with refused("InvalidChangeBatch", told):
        zone.create(simple(APP, "y.example.net"))


def test_simple_becomes_weighted_in_one_batch(zone: Zone) -> None:
    """A change batch is one transaction: DELETE of the simple record, then CREATE of the weighted ones."""
    record = simple(APP, "x.example.net")
    zone.create(record)
    pair = [weighted(APP, "x.example.net", 100, ttl=60), weighted(APP, "y.example.net", 0, ttl=60)]
    zone.change(change("DELETE", record), *(change("CREATE", each) for each in pair))
    assert [(each["SetIdentifier"], each["Weight"]) for each in zone.records()] == [
        ("x.example.net", 100),
        ("y.example.net", 0),
    ]


def test_weighted_records_have_one_ttl(zone: Zone) -> None:
    """ResourceRecordSet.TTL: "All of the resource record sets in a group of weighted resource record sets must have
    the same value for TTL." """
    zone.create(weighted(APP, "x.example.net", 1))
    told = "SetIdentifier y.example.net cannot be created as weighted sets must contain the same TTL."
    with refused("InvalidChangeBatch", told):
        zone.create(weighted(APP, "y.example.net", 1, ttl=60))


def test_a_weight_is_at_most_255(zone: Zone) -> None:
    """ResourceRecordSet.Weight is from 0 to 255."""
    with refused("InvalidInput", "Member must have value less than or equal to 255"):
        zone.create(weighted(APP, "x.example.net", 256))


def test_members_that_belong_together(zone: Zone) -> None:
    """InvalidInput names the change: values or an alias, and a set identifier with a routing policy."""
    record = simple(APP, "x.example.net")
    where = "in Change with [Action=CREATE, Name=app.example.com, Type=CNAME, SetIdentifier=null]"
    with refused("InvalidInput", f"TrafficPolicyInstanceId], but found none {where}"):
        zone.create({"Name": APP, "Type": "CNAME"})
    with refused("InvalidInput", f"Missing field 'SetIdentifier' {where}"):
        zone.create({**record, "Weight": 1})
    with refused("InvalidInput", "but found none in Change with [Action=CREATE"):
        zone.create({**record, "SetIdentifier": "one"})


def test_an_address_is_an_address(zone: Zone) -> None:
    """Developer Guide, "A record type": an IPv4 address in dotted decimal notation."""
    told = "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) encountered with 'nonsense'"
    with refused("InvalidChangeBatch", told):
        zone.create(simple(APP, "nonsense", "A"))


def test_an_alias_leads_to_what_is_there(zone: Zone) -> None:
    """AliasTarget.HostedZoneId has to be that of the target, and the target has to exist."""
    tried = "Tried to create an alias that targets lb-1.us-east-2.elb.amazonaws.com., type A in zone"
    with refused("InvalidChangeBatch", f"[{tried} {zone.id}, but the alias target name does not lie within"):
        zone.create(alias(APP, "lb-1.us-east-2.elb.amazonaws.com", zone.id))
    with refused("InvalidChangeBatch", f"{tried} Z3AADJGX6KTTL2, but that target was not found]"):
        zone.create(alias(APP, "lb-1.us-east-2.elb.amazonaws.com", "Z3AADJGX6KTTL2"))


def test_the_records_of_the_zone_itself_stay(zone: Zone) -> None:
    """Developer Guide, "NS and SOA records": a hosted zone keeps those of its own name."""
    ns, soa = zone.route53.list_resource_record_sets(HostedZoneId=zone.id)["ResourceRecordSets"]
    with refused(
        "InvalidChangeBatch", "A HostedZone must contain at least one NS record for the zone itself."
    ):
        zone.change(change("DELETE", ns))
    with refused("InvalidChangeBatch", "A HostedZone must contain exactly one SOA record."):
        zone.change(change("DELETE", soa))


def test_a_zone_with_records_stays(zone: Zone) -> None:
    """DeleteHostedZone, HostedZoneNotEmpty: "contains resource records that are not SOA or NS records"."""
    record = simple(APP, "x.example.net")
    zone.create(record)
    with refused("HostedZoneNotEmpty"):
        zone.route53.delete_hosted_zone(Id=zone.id)
    zone.change(change("DELETE", record))
    zone.route53.delete_hosted_zone(Id=zone.id)


def test_an_unknown_zone(zone: Zone) -> None:
    """NoSuchHostedZone: "No hosted zone exists with the ID that you specified"."""
    with refused("NoSuchHostedZone"):
        zone.route53.list_resource_record_sets(HostedZoneId="Z00000000")


def test_a_value_is_there_once(zone: Zone) -> None:
    """No two values of a record are the same (ResourceRecord, "Value"); the words are our own."""
    with refused("InvalidChangeBatch", "[Duplicate Resource Record: '133.0.0.13']"):
        value = {"Value": "133.0.0.13"}
        zone.create({**simple(APP, "", "A"), "ResourceRecords": [value, value]})


def test_a_label_has_at_most_63_octets(zone: Zone) -> None:
    """ "The maximum length of a label is 63 characters" (DNS domain name format)."""
    zone.create(simple(f"{'a' * 63}.{APP}", "x.example.net"))
    with refused("InvalidChangeBatch", "DomainLabelTooLong (Domain label is too long)"):
        zone.create(simple(f"{'a' * 64}.{APP}", "x.example.net"))


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (f"a..{APP}", "DomainLabelEmpty (Domain label is empty)"),
        (f"{'.'.join(['a' * 60] * 5)}.{APP}", "DomainNameTooLong (Domain name is too long)"),
    ],
)
def test_the_name_of_a_record_is_refused_for_what_is_wrong_with_it(
    zone: Zone, name: str, problem: str
) -> None:
    """ "DNS domain name format": labels of 1 to 63 bytes, 255 bytes in all; as for names that are values."""
    with refused("InvalidChangeBatch", f"FATAL problem: {problem} encountered with '{name}.'"):
        zone.create(simple(name, "x.example.net"))
