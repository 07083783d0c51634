"""Stand-ins for Okta and Entra: real HTTP servers on 127.0.0.1 with state, which take rolecall's reads and writes.

    okta = Okta()                                    # or Okta(token=…, page=2, rate_limit=50)
    okta.add_user("ann@acme.com")
    okta.add_group("Writer-Legal", ["ann@acme.com"])
    okta.add_group("WRITER-Everyone", ["ann@acme.com"])
    okta.assign("WRITER-Everyone")                   # what is there before the test
    with okta.served() as url:
        way = PeopleConnection(token=lambda: okta.token, app=okta.app)
        …connect_people("okta", url, way)…           # what rolecall does
    assert [(write.method, write.path, write.sent) for write in okta.writes] == […]
    assert okta.mapping("Writer-Legal").status == "ACTIVE"

    okta.connect(f"{org}/api/scim/v2", token)        # `org` is a local org that is served
    okta.provision()                                 # sends real SCIM; Okta(provision_each=True): after each write

    entra = Entra()                                  # the same, with Entra's kinds of state
    job = entra.connect(f"{org}/api/scim/v2", token) # secrets, and a job that is on
    entra.assign("Writer-Legal")
    with entra.served() as url:
        way = PeopleConnection(token=lambda: entra.token, app=entra.app, url=url, login_url=url)
        …connect_people("entra", "acme", way)…
    entra.provision()                                # the initial cycle, then incremental ones, or full=True
    assert (job.last["state"], job.quarantine) == ("Succeeded", None)

Everything may be named by name or id. `requests` are all requests, `writes` those that change something; both have the
body that was sent and the response. A credential with few rights: `okta.tokens["read-only"] = ("okta.apps.read",)`, or
a service app: `okta.apps["0oa9"] = ServiceApp(public_key, scopes)`. Faults: `okta.faults.append(Fault(500, number=2,
method="PUT"))`; see `Fault`. Where `ROLECALL_SPECS` names the published descriptions, each request and response is
checked against them, and the end of `served()` fails if one differs.
"""

from idp.entra import AppRegistration, Entra
from idp.ids import oid, uid
from idp.okta import Okta, ServiceApp
from idp.wire import Fault, http_client

__all__ = ["AppRegistration", "Entra", "Fault", "Okta", "ServiceApp", "http_client", "oid", "uid"]
