package entra

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
	abs "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/groups"
	"github.com/microsoftgraph/msgraph-sdk-go/users"
)

// wireMember is a directory object listed in or above another.
type wireMember struct {
	Type string `json:"@odata.type"`
	ID   string `json:"id"`
	SID  string `json:"onPremisesSecurityIdentifier"`
}

const (
	memberPages = 999 // Graph's largest page of members

	typeUser  = "#microsoft.graph.user"
	typeGroup = "#microsoft.graph.group"
)

func decodeMembers(body []byte) ([]wireMember, envelope, error) {
	members, head, err := decodeList[wireMember](body)
	for i, m := range members {
		if err == nil && (m.ID == "" || m.Type == "") {
			err = fmt.Errorf("entry %d of value has id %q and @odata.type %q; neither may be empty", i, m.ID, m.Type)
		}
	}
	return members, head, err
}

// ListMembers hands over the users in a group and in the groups nested in it.
// A user who is listed twice is handed over twice. It is directory.ErrNoGroup when the
// group does not exist; an error of each ends the read.
func (c *Client) ListMembers(ctx context.Context, groupID string, each func(directory.Member) error) error {
	visited := map[string]bool{groupID: true}
	for open := []string{groupID}; len(open) > 0; open = open[1:] {
		err := c.listDirect(ctx, open[0], func(m wireMember) error {
			switch m.Type {
			case typeUser:
				return each(directory.Member{ID: m.ID, SID: m.SID})
			case typeGroup:
				if !visited[m.ID] {
					visited[m.ID] = true
					open = append(open, m.ID)
				}
			}
			return nil // devices, contacts and applications hold no license
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) listDirect(ctx context.Context, groupID string, each func(wireMember) error) error {
	k := call{what: "list members of group " + groupID, needs: readGroups}
	if !isID(groupID) {
		return k.failed(errNotID)
	}
	info, err := c.group(groupID).Members().ToGetRequestInformation(ctx, &groups.ItemMembersRequestBuilderGetRequestConfiguration{
		QueryParameters: &groups.ItemMembersRequestBuilderGetQueryParameters{
			Select: selectOf[wireMember](), Top: new(int32(memberPages)),
		},
	})
	if err != nil {
		return k.failed(err)
	}
	err = pages(ctx, c, k, info, "", decodeMembers, func(page []wireMember, _ string) error {
		for _, m := range page {
			if err := each(m); err != nil {
				return err
			}
		}
		return nil
	})
	if answered(err, http.StatusNotFound) {
		return fmt.Errorf("%w: %s", directory.ErrNoGroup, groupID)
	}
	return err
}

// GroupsOf is the ids of all groups the user belongs to, through other groups
// too. It is directory.ErrNoPerson when the user does not exist.
func (c *Client) GroupsOf(ctx context.Context, userID string) ([]string, error) {
	return c.groupIDs(ctx, userID, func() (*abs.RequestInformation, error) {
		return c.user(userID).TransitiveMemberOf().ToGetRequestInformation(ctx,
			&users.ItemTransitiveMemberOfRequestBuilderGetRequestConfiguration{
				QueryParameters: &users.ItemTransitiveMemberOfRequestBuilderGetQueryParameters{
					Select: []string{"id"}, Top: new(int32(memberPages)),
				},
			})
	})
}

// MemberOf tells whether the user is listed in the group itself. It is
// directory.ErrNoPerson when the user does not exist.
func (c *Client) MemberOf(ctx context.Context, userID, groupID string) (bool, error) {
	ids, err := c.groupIDs(ctx, userID, func() (*abs.RequestInformation, error) {
		return c.user(userID).MemberOf().ToGetRequestInformation(ctx,
			&users.ItemMemberOfRequestBuilderGetRequestConfiguration{
				QueryParameters: &users.ItemMemberOfRequestBuilderGetQueryParameters{
					Select: []string{"id"}, Top: new(int32(memberPages)),
				},
			})
	})
	return slices.Contains(ids, groupID), err
}

func (c *Client) groupIDs(ctx context.Context, userID string, build func() (*abs.RequestInformation, error)) ([]string, error) {
	k := call{what: "list groups of person " + userID, needs: readGroups}
	if !isID(userID) {
		return nil, k.failed(errNotID)
	}
	info, err := build()
	if err != nil {
		return nil, k.failed(err)
	}
	var ids []string
	err = pages(ctx, c, k, info, "", decodeMembers, func(page []wireMember, _ string) error {
		for _, m := range page {
			if m.Type == typeGroup { // administrative units and roles are listed too
				ids = append(ids, m.ID)
			}
		}
		return nil
	})
	if answered(err, http.StatusNotFound) {
		return nil, fmt.Errorf("%w: %s", directory.ErrNoPerson, userID)
	}
	return ids, err
}
