package entra

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/uuid"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/idleseat/idleseat/shared/directory"
)

// notHeld is a part of Graph's message if the user does not hold the license to be removed.
const notHeld = "does not have a corresponding license"

const (
	writeLicenses = "LicenseAssignment.ReadWrite.All"
	writeMembers  = "GroupMember.ReadWrite.All"
)

// ChangeLicenses assigns the products in "add", which name the service plans that stay off, and removes the skuIds in
// "remove". Graph makes all of the changes or none. If the only change is the removal of a product that the user does
// not hold, ChangeLicenses succeeds. The error is directory.ErrNotHeld if such a removal is one of several changes, or
// if the single product to remove comes from a group. It is a *directory.Refusal if Entra refuses the change, and
// directory.ErrNoPerson if the user does not exist.
func (c *Client) ChangeLicenses(ctx context.Context, userID string, add []directory.Assignment, remove []string) error {
	k := call{what: "change licenses of person " + userID, needs: writeLicenses, write: true}
	body, err := licenseChange(add, remove)
	if err == nil && !isID(userID) {
		err = errNotID
	}
	if err != nil {
		return k.failed(err)
	}
	info, err := c.user(userID).AssignLicense().ToPostRequestInformation(ctx, body, nil)
	if err != nil {
		return k.failed(err)
	}
	_, err = c.send(ctx, k, info)
	switch {
	case answered(err, http.StatusNotFound):
		return fmt.Errorf("%w: %s", directory.ErrNoPerson, userID)
	case len(add) == 0 && len(remove) == 1 && says(err, notHeld):
		return nil
	case says(err, notHeld):
		// The answer to an earlier try may have been lost. If that try removed the license, Graph answers the next try
		// in this way. Only a read shows whether the license is gone.
		return fmt.Errorf("%w: %w", directory.ErrNotHeld, err)
	case len(remove) == 1 && says(err, inherited): // the license comes only from a group, so there is no direct license to remove
		return fmt.Errorf("%w: %w", directory.ErrNotHeld, refused(err))
	}
	return refused(err)
}

// licenseChange returns the body of assignLicense. Graph requires both lists, even if they are empty.
func licenseChange(add []directory.Assignment, remove []string) (*users.ItemAssignLicensePostRequestBody, error) {
	added := make([]models.AssignedLicenseable, 0, len(add))
	for _, license := range add {
		skus, err := parseIDs(license.SKU)
		if err != nil {
			return nil, err
		}
		plans, err := parseIDs(license.DisabledPlans...)
		if err != nil {
			return nil, err
		}
		item := models.NewAssignedLicense()
		item.SetSkuId(&skus[0])
		item.SetDisabledPlans(plans)
		added = append(added, item)
	}
	removed, err := parseIDs(remove...)
	if err != nil {
		return nil, err
	}
	body := users.NewItemAssignLicensePostRequestBody()
	body.SetAddLicenses(added)
	body.SetRemoveLicenses(removed)
	return body, nil
}

func parseIDs(ids ...string) ([]uuid.UUID, error) {
	parsed := make([]uuid.UUID, len(ids))
	for i, id := range ids {
		var err error
		if parsed[i], err = uuid.Parse(id); err != nil {
			return nil, fmt.Errorf("%q is not the id of a license or service plan: %w", id, err)
		}
	}
	return parsed, nil
}

// AddMember adds a user to a group. It succeeds if the user already is in it. The error is a *directory.Refusal if
// Entra refuses the change, and directory.ErrNoGroup or directory.ErrNoPerson if the group or the user does not exist.
func (c *Client) AddMember(ctx context.Context, groupID, userID string) error {
	k := call{what: "add person " + userID + " to group " + groupID, needs: writeMembers, write: true}
	if !isID(groupID) || !isID(userID) {
		return k.failed(errNotID)
	}
	member := models.NewReferenceCreate()
	member.SetOdataId(new(c.base.String() + "/directoryObjects/" + userID))
	info, err := c.group(groupID).Members().Ref().ToPostRequestInformation(ctx, member, nil)
	if err != nil {
		return k.failed(err)
	}
	_, err = c.send(ctx, k, info)
	if says(err, "references already exist") {
		return nil
	}
	if answered(err, http.StatusNotFound) {
		if _, err := c.groupByID(ctx, groupID); err != nil {
			return err
		}
		return fmt.Errorf("%w: %s", directory.ErrNoPerson, userID)
	}
	return c.memberRefused(ctx, groupID, err)
}

// RemoveMember removes a user from a group. It succeeds if the user is not in it. The error is a *directory.Refusal if
// Entra refuses the change, and directory.ErrNoGroup if the group does not exist.
func (c *Client) RemoveMember(ctx context.Context, groupID, userID string) error {
	k := call{what: "remove person " + userID + " from group " + groupID, needs: writeMembers, write: true}
	if !isID(groupID) || !isID(userID) {
		return k.failed(errNotID)
	}
	// Without Ref, the request would delete the user, and not the membership. The gate blocks every other DELETE.
	info, err := c.group(groupID).Members().ByDirectoryObjectId(userID).Ref().ToDeleteRequestInformation(ctx, nil)
	if err != nil {
		return k.failed(err)
	}
	_, err = c.send(ctx, k, info)
	if says(err, "removed object references do not exist") {
		return nil
	}
	if answered(err, http.StatusNotFound) {
		// Graph gives the same answer for a missing membership and for a missing group.
		_, err := c.groupByID(ctx, groupID)
		return err
	}
	return c.memberRefused(ctx, groupID, err)
}

// memberRefused explains why a group cannot be changed. For a dynamic, restricted or role-assignable group, Graph
// answers with status 403, as for a missing permission, so memberRefused reads the group.
func (c *Client) memberRefused(ctx context.Context, groupID string, failed error) error {
	if !errors.Is(failed, ErrForbidden) || errors.Is(failed, directory.ErrUncertain) {
		return refused(failed)
	}
	group, err := c.groupByID(ctx, groupID)
	switch {
	case err != nil:
		return errors.Join(failed, err)
	case group.Restricted:
		return &directory.Refusal{Reason: restrictedBy(failed), Err: failed}
	case group.Dynamic:
		return &directory.Refusal{Reason: reasonDynamic, Err: failed}
	case group.RoleAssignable:
		return &directory.Refusal{Reason: reasonRoleAssignable, Err: failed}
	default:
		return refused(failed)
	}
}

// restrictedBy returns the reason of a refusal by a restricted management administrative unit. It quotes Graph,
// because no source documents Graph's message.
func restrictedBy(failed error) string {
	var graph *graphError
	if !errors.As(failed, &graph) || graph.message == "" {
		return "the group: " + reasonRestricted
	}
	return fmt.Sprintf("the group: %s (Graph: %q)", reasonRestricted, graph.message)
}
