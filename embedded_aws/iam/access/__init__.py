"""Authorization: evaluates IAM's policies before each call of a caller that IAM knows.

These callers are users with an access key that was created here, and sessions of roles. Any other access key
counts as an administrator's, and is not checked.

``callers`` identifies the caller, ``resources`` the ARNs of a call, ``context`` its condition keys,
``queries`` combines these, ``authorizer`` decides. ``scripts/service-reference`` extracts ``reference.json`` from
AWS's Service Authorization Reference.
"""
