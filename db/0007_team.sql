-- When somebody last signed in, for the list of the team: the newest session of each account, from the index alone.
CREATE INDEX session_newest_by_member ON clinic.session (tenant_id, member_id, created_at);
