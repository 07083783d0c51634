"""The SQL store of the local org: SQLite by default, PostgreSQL by URL, one schema for both.

Transactions
------------
``db = open_database(url)`` migrates and, when new, seeds. Then::

    with db.read() as tx:    # one snapshot: SQLite BEGIN in WAL, PostgreSQL REPEATABLE READ READ ONLY
    with db.write() as tx:   # the only writer: SQLite BEGIN IMMEDIATE, PostgreSQL one advisory lock for the org

``tx`` is a ``sqlalchemy.Connection``. Leaving the block commits, an exception rolls back. Nothing that is read inside
``write()`` changes until it commits, so read-check-write needs no retry and no ``FOR UPDATE``. Never open a
``write()`` inside another of the same thread: it waits for itself and ends in ``Busy``. For a part that may fail alone
use ``with tx.begin_nested():``.

Tables (``tables.py``); all times are RFC 3339 UTC text with microseconds (``clock.now()``), all ids UUID text
------
org          one row: id, name, plan, ``scim_in_plan``, the limits ``page_limit``, ``per_minute``, ``latency_ms``
settings     one row a singleton (``defaults``, ``sso``, ``scim``): ``value`` JSON, ``version`` (the ETag), and rows
             with other data: ``audit_style``, ``usage``
domains      claimed domains by normalized name; ``version`` (the ETag)
teams        name -> id. SCIM never creates one
roles        id, console word, level (org or team), position
users        all users, of every origin (scim, saml, invite, discovery). ``email_key`` is
             ``model.normalise.email(email)``, unique (R28). ``manual`` is a JSON list of {team, role}.
             ``role_attribute`` is what R18 reads, ``org_role`` the role at org level (R36); ``seat`` and
             ``billing_group`` are only shown. ``document`` is the stored SCIM JSON *without* ``groups`` and
             ``meta`` (null: never synced, and not shown by SCIM), emitted unchanged. ``folded`` is the same document
             in the form in which strings compare, for filters; ``user_name_key`` is its userName so, unique. All three
             are made by ``scim.documents``, for users and groups alike. ``version`` grows with each write to the
             user, not with memberships. ``bucket`` is ``keys.bucket(id)`` and spreads users over partitions
groups       ``name_key`` is ``keys.fold(display_name)``, not unique: two groups may share a name. ``document`` is the
             SCIM JSON *without* ``members``. ``version`` grows with each SCIM write to it, memberships included.
             ``mapping`` is JSON {role, teams} or null (blank); ``mapping_version`` (the admin API's ETag) changes
             with each write to the mapping only. ``linked_teams`` is the JSON list that a legacy endpoint's group
             gives (R18). ``pushed`` false: hidden since an upgrade started (R20). Such a row only keeps legacy
             access in force until the upgrade completes; no list and no lookup, SCIM's included, shows it
memberships  (group_id, user_id), both cascading on delete. The only place that knows who is in a group
tokens       SHA-256 of each bearer token; kind admin or scim, scope read or write, the admin's email or null (a
             service), expiry and revocation
audit        every write by admin API, SCIM or console: ``seq`` ascending, actor, channel, action, address, before,
             after, the Idempotency-Key (unique) with a digest of its request and the stored answer for a replay
counters     named counters that only grow: the list revisions ``people``, ``idp_groups``, ``domains``, ``teams``,
             ``roles``, ``audit``; and ``version``, from which settings, domains and mappings (a new group's
             ``mapping_version`` too) draw their next version, so that none ever comes back
schema_migrations  which migrations ran

Whoever writes to users, groups or memberships calls ``counters.bump(tx, "people")`` (and ``"idp_groups"`` when a group
appears, goes, is renamed or gains or loses members) and ``audit.record(tx, ...)`` in the same transaction.
"""

from rolecall.localorg.store.database import Busy, Database, open_database

__all__ = ["Busy", "Database", "open_database"]
