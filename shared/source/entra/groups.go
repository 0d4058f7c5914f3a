package entra

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/microsoftgraph/msgraph-sdk-go/groups"

	"github.com/idleseat/idleseat/shared/directory"
)

const readGroups = "Group.Read.All"

type wireGroup struct {
	ID             string        `json:"id"`
	Name           string        `json:"displayName"`
	Types          []string      `json:"groupTypes"`
	Synced         bool          `json:"onPremisesSyncEnabled"`
	SID            string        `json:"onPremisesSecurityIdentifier"`
	RoleAssignable bool          `json:"isAssignableToRole"`
	MailEnabled    bool          `json:"mailEnabled"`
	Visibility     string        `json:"visibility"`
	Restricted     bool          `json:"isManagementRestricted"`
	Licenses       []wireLicense `json:"assignedLicenses"`
}

// hiddenMembership is the visibility of a group that shows its members only to holders of Member.Read.Hidden. Without
// this permission, memberOf omits the group. Microsoft does not document whether the list of members is then empty or
// refused (docs-contrib: group-list-members; microsoft-graph-docs#12552, #12285).
const (
	hiddenMembership = "HiddenMembership"
	readHidden       = "Member.Read.Hidden"
)

var groupFields = selectOf[wireGroup]()

func (w *wireGroup) group(name string) directory.Group {
	g := directory.Group{
		Ref:            directory.GroupRef{Source: directory.Entra, Name: name},
		ID:             w.ID,
		Name:           w.Name,
		Dynamic:        slices.Contains(w.Types, "DynamicMembership"),
		Synced:         w.Synced,
		SID:            w.SID,
		RoleAssignable: w.RoleAssignable,
		Restricted:     w.Restricted,
		MailEnabled:    w.MailEnabled && !slices.Contains(w.Types, "Unified"),
		Hidden:         w.Visibility == hiddenMembership,
	}
	for _, license := range w.Licenses {
		g.Grants = append(g.Grants, license.SKU)
		if len(license.DisabledPlans) > 0 {
			g.Reduced = append(g.Reduced, license.SKU)
			g.Off = append(g.Off, license.DisabledPlans...)
		}
	}
	return g
}

// FindGroup reads one group by object id or display name. The error is directory.ErrNoGroup if there is none, and
// directory.ErrAmbiguousGroup if several groups have the name.
func (c *Client) FindGroup(ctx context.Context, nameOrID string) (directory.Group, error) {
	if isID(nameOrID) {
		return c.groupByID(ctx, nameOrID)
	}
	k := call{what: fmt.Sprintf("find group %q", nameOrID), needs: readGroups}
	info, err := c.groups().ToGetRequestInformation(ctx, &groups.GroupsRequestBuilderGetRequestConfiguration{
		QueryParameters: &groups.GroupsRequestBuilderGetQueryParameters{
			Filter: new("displayName eq '" + strings.ReplaceAll(nameOrID, "'", "''") + "'"),
			Select: groupFields,
		},
	})
	if err != nil {
		return directory.Group{}, k.failed(err)
	}
	found, err := all[wireGroup](ctx, c, k, info)
	switch {
	case err != nil:
		return directory.Group{}, err
	case len(found) == 0:
		return directory.Group{}, fmt.Errorf("%w: %q", directory.ErrNoGroup, nameOrID)
	case len(found) > 1:
		return directory.Group{}, fmt.Errorf("%w: %q is %s and %s", directory.ErrAmbiguousGroup, nameOrID, found[0].ID, found[1].ID)
	case !isID(found[0].ID):
		return directory.Group{}, k.failed(errors.New("the group has no id"))
	}
	return found[0].group(nameOrID), nil
}

// LicenseGroups returns all groups that give licenses to their members. The error is directory.ErrNotListed if the
// tenant's Graph does not accept the filter assignedLicenses/any().
func (c *Client) LicenseGroups(ctx context.Context) ([]directory.Group, error) {
	k := call{what: "list groups that give licenses", needs: readGroups}
	info, err := c.groups().ToGetRequestInformation(ctx, &groups.GroupsRequestBuilderGetRequestConfiguration{
		QueryParameters: &groups.GroupsRequestBuilderGetQueryParameters{
			Filter: new("assignedLicenses/any()"), Select: groupFields, Top: new(int32(memberPages)),
		},
	})
	if err != nil {
		return nil, k.failed(err)
	}
	found, err := all[wireGroup](ctx, c, k, info)
	if answered(err, http.StatusBadRequest) {
		return nil, fmt.Errorf("%w: %w", directory.ErrNotListed, err)
	}
	list := make([]directory.Group, len(found))
	for i, w := range found {
		list[i] = w.group(w.ID)
	}
	return list, err
}

func (c *Client) groupByID(ctx context.Context, id string) (directory.Group, error) {
	k := call{what: "read group " + id, needs: readGroups}
	info, err := c.group(id).ToGetRequestInformation(ctx, &groups.GroupItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &groups.GroupItemRequestBuilderGetQueryParameters{Select: groupFields},
	})
	if err != nil {
		return directory.Group{}, k.failed(err)
	}
	body, err := c.send(ctx, k, info)
	if answered(err, http.StatusNotFound) {
		return directory.Group{}, fmt.Errorf("%w: %s", directory.ErrNoGroup, id)
	}
	if err != nil {
		return directory.Group{}, err
	}
	wire, err := decodeOne[wireGroup](body)
	if err == nil && !isID(wire.ID) {
		err = errors.New("the group has no id")
	}
	if err != nil {
		return directory.Group{}, k.failed(err)
	}
	return wire.group(id), nil
}
