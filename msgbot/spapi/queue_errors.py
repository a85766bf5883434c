"""What the library for SQS raises, in the project's own errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgbot.errors import AmazonAway, AmazonDenied, AmazonError, AmazonRefused

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_THROTTLED = frozenset(
    {"OverLimit", "RequestThrottled", "RequestLimitExceeded", "Throttling", "ThrottlingException", "KmsThrottled"}
)
_NO_QUEUE = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})
_UNKNOWN = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSecurity",
        "KmsAccessDenied",
        "MissingAuthenticationToken",
        "OptInRequired",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""Not all of them come with status 401 or 403."""
_NO_CREDENTIALS = (
    "there are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role that may use it"
)


def amazon_error(error: Exception, operation: str, url: str) -> AmazonError | None:
    """What the library raised, as one of the project's errors; None when it is no error of the library's."""
    from botocore import exceptions as theirs
    from botocore.parsers import ResponseParserError

    strangers = (
        theirs.PartialCredentialsError,
        theirs.CredentialRetrievalError,
        theirs.ProfileNotFound,
        theirs.ConfigParseError,
        theirs.TokenRetrievalError,
        theirs.SSOError,
        theirs.LoginError,
        theirs.UnknownCredentialError,
        theirs.InvalidConfigError,
    )
    at = f"the queue {url} cannot be used"
    if isinstance(error, theirs.ClientError):
        return _refusal(error, operation, at)
    if isinstance(error, theirs.NoCredentialsError):
        return AmazonDenied(f"{at}: {_NO_CREDENTIALS}", operation=operation)
    if isinstance(error, strangers):
        return AmazonDenied(f"{at}: the AWS credentials cannot be had: {_first_line(str(error))}", operation=operation)
    if isinstance(error, theirs.BotoCoreError | ResponseParserError):
        return AmazonAway(f"{at} now: {_first_line(str(error))}", operation=operation)
    return None


def _refusal(error: ClientError, operation: str, at: str) -> AmazonError:
    """What an answer says that is an error."""
    told, about = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    code, status = told.get("Code", ""), about.get("HTTPStatusCode", 0)
    said = f"{code}: {_first_line(told.get('Message', ''))}"
    kind: type[AmazonError] = AmazonRefused
    if code in _THROTTLED or status == 429 or status >= 500:
        kind, said = AmazonAway, f"now ({said})"
    elif code in _NO_QUEUE:
        kind, said = AmazonDenied, "there is no such queue: check the settings 'queue_url' and 'queue_region'"
    elif code in _UNKNOWN or status in {401, 403}:
        kind, said = AmazonDenied, f"{said}; check the AWS credentials, this machine's clock, and the policy of the queue"
    return kind(f"{at}: {said}", operation=operation, status=status, code=code, amazon_request_id=about.get("RequestId", ""))


def _first_line(text: str) -> str:
    # What follows the first line of a complaint about a signature is what was signed, tokens and all.
    return next(iter(text.strip().splitlines()), "")[:300]
