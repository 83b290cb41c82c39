"""The one check of the fuzz run: no 5xx but those that RESTHeart's contract demands."""

import schemathesis


# What the contract answers with 500: rest-documents.md 1.4, an id that is no JSON at all under id_type NUMBER or DATE,
# rest-resources.md 3, the deletion of an index that does not exist, and rest-documents.md 3, the codes of MongoDB that it names.
DEMANDED = (
    "org.bson.json.JsonParseException",
    "(IndexNotFound)",
    "(TypeMismatch)",
    "(ConflictingUpdateOperators)",
    "(DollarPrefixedFieldName)",
)


def is_demanded(response) -> bool:
    return response.status_code == 500 and any(mark in response.text for mark in DEMANDED)


@schemathesis.check
def no_server_error(ctx, response, case):
    if response.status_code < 500 or is_demanded(response):
        return
    raise AssertionError(f"{response.status_code}: {response.text[:400]}")
