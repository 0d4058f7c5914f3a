package entra

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	abs "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/groups"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/idleseat/idleseat/shared/directory"
)

// wireMember is an entry in a list of members, or in a list of the groups of an object.
type wireMember struct {
	Type       string `json:"@odata.type"`
	ID         string `json:"id"`
	SID        string `json:"onPremisesSecurityIdentifier"`
	Visibility string `json:"visibility"` // of a group
}

const (
	memberPages = 999 // the largest page of members that Graph allows

	typeGroup = "#microsoft.graph.group"
)

// noUsers has the types of directory objects that hold no licenses. Any other type counts as a user. The type
// "agentUser" is derived from user (docs-contrib: resources/agentuser.md), and Graph may add further such types.
var noUsers = []string{
	"#microsoft.graph.device", "#microsoft.graph.orgContact", "#microsoft.graph.servicePrincipal", "#microsoft.graph.application",
	"#microsoft.graph.administrativeUnit", "#microsoft.graph.directoryRole",
}

func decodeMembers(body []byte) ([]wireMember, envelope, error) {
	members, head, err := decodeList[wireMember](body)
	for i, m := range members {
		if err == nil && (m.ID == "" || m.Type == "") {
			err = fmt.Errorf("entry %d of value has id %q and @odata.type %q; neither may be empty", i, m.ID, m.Type)
		}
	}
	return members, head, err
}

// memberCursor is a position in a reading of members. Open has the groups that are still to be read, Link the next
// link in the list of the first of them, and Met the groups that were found so far.
type memberCursor struct {
	Open   []string `json:"open"`
	Met    []string `json:"met"`
	Link   string   `json:"link,omitempty"`
	Hidden []string `json:"hidden,omitempty"` // groups that hide their members
	Seen   bool     `json:"seen,omitempty"`   // whether the first open group has shown a member
}

// ListMembers calls "page" with the users in a group and in its nested groups. A user with two entries is passed
// twice. An empty cursor starts at the beginning. With the cursor "next" of a page, a later call continues after this
// page, even in another process. The cursor is empty on the last page. The error is directory.ErrNoGroup if the group
// does not exist, and directory.ErrHidden if the group or a nested group hides its members. An error of "page" is
// returned unchanged.
func (c *Client) ListMembers(ctx context.Context, group directory.Group, cursor string, page func(members []directory.Member, next string) error) error {
	at := memberCursor{Open: []string{group.ID}, Met: []string{group.ID}}
	if group.Hidden {
		at.Hidden = at.Met
	}
	if cursor != "" {
		if err := json.Unmarshal([]byte(cursor), &at); err != nil || len(at.Open) == 0 {
			return fmt.Errorf("list members of group %s: the cursor to go on from is damaged", group.ID)
		}
	}
	for len(at.Open) > 0 {
		reading, hidden := at.Open[0], slices.Contains(at.Hidden, at.Open[0])
		err := c.listDirect(ctx, reading, at.Link, func(entries []wireMember, link string) error {
			users := at.take(entries, hidden, reading == group.ID)
			if at.Link = link; link == "" {
				if hidden && !at.Seen {
					return hiddenError(reading)
				}
				at.Open, at.Seen = at.Open[1:], false
			}
			next, err := at.text()
			if err != nil {
				return err
			}
			return page(users, next)
		})
		if hidden && answered(err, http.StatusForbidden) {
			return hiddenError(reading)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func hiddenError(groupID string) error {
	return fmt.Errorf("%w: the visibility of group %s is %s, and it shows nobody; grant the application permission %s, or name a group that shows its members",
		directory.ErrHidden, groupID, hiddenMembership, readHidden)
}

func (m *memberCursor) take(entries []wireMember, hidden, direct bool) (users []directory.Member) {
	m.Seen = m.Seen || len(entries) > 0
	for _, e := range entries {
		switch {
		case e.Type == typeGroup && slices.Contains(m.Met, e.ID), slices.Contains(noUsers, e.Type):
		case e.Type == typeGroup:
			m.Met, m.Open = append(m.Met, e.ID), append(m.Open, e.ID)
			if e.Visibility == hiddenMembership {
				m.Hidden = append(m.Hidden, e.ID)
			}
		default:
			users = append(users, directory.Member{ID: e.ID, SID: e.SID, Hidden: hidden, Direct: direct})
		}
	}
	return users
}

// The method "text" returns the cursor as a string, which is empty at the end of the reading.
func (m memberCursor) text() (string, error) {
	if len(m.Open) == 0 {
		return "", nil
	}
	b, err := json.Marshal(m)
	return string(b), err
}

// listDirect reads the members that a group itself lists, from the page of the link on. An empty link means the first
// page.
func (c *Client) listDirect(ctx context.Context, groupID, link string, page func(entries []wireMember, next string) error) error {
	k := call{what: "list members of group " + groupID, needs: readGroups}
	if !isID(groupID) {
		return k.failed(errNotID)
	}
	info, err := c.follow(link)
	if link == "" {
		info, err = c.group(groupID).Members().ToGetRequestInformation(ctx, &groups.ItemMembersRequestBuilderGetRequestConfiguration{
			QueryParameters: &groups.ItemMembersRequestBuilderGetQueryParameters{
				Select: selectOf[wireMember](), Top: new(int32(memberPages)),
			},
		})
	}
	if err != nil {
		return k.failed(err)
	}
	if err = pages(ctx, c, k, info, link, decodeMembers, page); link != "" {
		err = expired(err)
	}
	if answered(err, http.StatusNotFound) {
		return fmt.Errorf("%w: %s", directory.ErrNoGroup, groupID)
	}
	return err
}

// GroupsOf returns the ids of all groups that a user is in, directly or through other groups. The error is
// directory.ErrNoPerson if the user does not exist.
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

// DirectGroups returns the ids of the groups that list the user directly. The error is directory.ErrNoPerson if the
// user does not exist.
func (c *Client) DirectGroups(ctx context.Context, userID string) ([]string, error) {
	return c.groupIDs(ctx, userID, func() (*abs.RequestInformation, error) {
		return c.user(userID).MemberOf().ToGetRequestInformation(ctx,
			&users.ItemMemberOfRequestBuilderGetRequestConfiguration{
				QueryParameters: &users.ItemMemberOfRequestBuilderGetQueryParameters{
					Select: []string{"id"}, Top: new(int32(memberPages)),
				},
			})
	})
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
			if m.Type == typeGroup { // the list also has administrative units and roles
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
