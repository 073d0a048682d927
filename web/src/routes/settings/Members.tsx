import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { describeError } from "../../api/errors";
import { ROLES, roleDescription } from "../../api/roles";
import { changeMember, membersQuery, removeMember } from "../../api/settings";
import type { Member, Role } from "../../api/types";
import { Button } from "../../ui/Button";
import { ErrorNotice } from "../../ui/ErrorNotice";
import { Notice } from "../../ui/Notice";
import { SkeletonLine } from "../../ui/Skeleton";
import forms from "../forms.module.css";
import { ConfirmDialog } from "./ConfirmDialog";
import { Invitations } from "./Invitations";
import { InviteDialog } from "./InviteDialog";
import { MemberRow } from "./MemberRow";
import { OverrideDialog } from "./OverrideDialog";
import styles from "./settings.module.css";
import { useRefreshMe } from "../use-refresh-me";
import { useSettings } from "./use-settings";

export function Members() {
  const { slug, me, workspace, clock } = useSettings("Members");
  const queries = useQueryClient();
  const refreshMe = useRefreshMe();
  const members = useQuery(membersQuery(slug));
  const [inviting, setInviting] = useState(false);
  const [overriding, setOverriding] = useState<Member | null>(null);
  const [removing, setRemoving] = useState<Member | null>(null);
  const isMe = (member: Member) => member.id === me.user.id;

  const changed = async (member: Member) => {
    // Refreshes the user first: without the role, the server would reject the request for the list.
    if (isMe(member)) await refreshMe();
    await queries.invalidateQueries({ queryKey: membersQuery(slug).queryKey });
  };
  const change = useMutation({
    mutationFn: ({ member, role }: { member: Member; role: Role }) => changeMember(slug, member.id, role),
    onSettled: (_result, _error, { member }) => changed(member),
  });

  return (
    <>
      <section aria-labelledby="members">
        <div className={styles.head}>
          <div>
            <h2 id="members" className={styles.heading}>
              Members
            </h2>
            <p className={styles.lead}>People with a role in {workspace.name}.</p>
          </div>
          <Button variant="primary" icon="plus" onPress={() => setInviting(true)}>
            Invite member
          </Button>
        </div>
        {change.error && (
          <p className={forms.error} role="alert">
            {change.error.message}
          </p>
        )}
        {members.error ? (
          <ErrorNotice {...describeError(members.error)} onRetry={() => void members.refetch()} />
        ) : !members.data ? (
          <SkeletonLine width="40%" />
        ) : members.data.data.length === 0 ? (
          <Notice icon="user" title="No members yet">
            <p>Platform admins can open every workspace. Everybody else needs an invitation.</p>
          </Notice>
        ) : (
          <ul className={styles.list}>
            {members.data.data.map((member) => (
              <MemberRow
                key={member.id}
                member={member}
                clock={clock}
                isMe={isMe(member)}
                isPending={change.isPending}
                onChange={(role) => change.mutate({ member, role })}
                onOverride={() => setOverriding(member)}
                onRemove={() => setRemoving(member)}
              />
            ))}
          </ul>
        )}

        {inviting && <InviteDialog slug={slug} onClose={() => setInviting(false)} />}
        {overriding && (
          <OverrideDialog
            member={overriding}
            onOverride={(role) => changeMember(slug, overriding.id, role).then(() => changed(overriding))}
            onClose={() => setOverriding(null)}
          />
        )}
        {removing && (
          <ConfirmDialog
            title="Remove member"
            action="Remove"
            onConfirm={() => removeMember(slug, removing.id).then(() => changed(removing))}
            onClose={() => setRemoving(null)}
          >
            {removing.provider ? (
              <>
                {removing.name} will have the role from the identity provider again: {removing.provider.role}.
              </>
            ) : (
              <>
                {removing.name}
                {removing.email && ` (${removing.email})`} will lose access to {workspace.name}. Their account
                and their events in the logs remain.
              </>
            )}
          </ConfirmDialog>
        )}
      </section>
      <Invitations slug={slug} clock={clock} />
      <dl className={styles.roles}>
        {ROLES.map((role) => (
          <div key={role}>
            <dt>{role}</dt>
            <dd>{roleDescription(role)}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
