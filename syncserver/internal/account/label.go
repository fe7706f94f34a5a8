package account

import (
	"net/http"
	"strings"
)

// maxAgent is how many bytes of what a program calls itself are looked at.
const maxAgent = 512

// LabelOf is what the owner of a session knows it by, such as "Firefox on Windows" or "Desktop app on Linux", from what the
// program calls itself: browsers as they do, the desktop app "widgets.pro/1.0 (linux)", the command line "widgets-cli/1.0
// (linux)". It is "" where nothing is known.
func LabelOf(r *http.Request) string {
	agent := r.UserAgent()
	if len(agent) > maxAgent {
		agent = agent[:maxAgent]
	}
	first := func(names [][2]string) string {
		for _, n := range names {
			if strings.Contains(agent, n[0]) {
				return n[1]
			}
		}
		return ""
	}
	var program string
	switch {
	case strings.HasPrefix(agent, "widgets.pro/"):
		program = "Desktop app"
	case strings.HasPrefix(agent, "widgets-cli/"):
		program = "Command line"
	default:
		// Each of these also contains the marks of those behind it.
		program = first([][2]string{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"Chrome/", "Chrome"}, {"CriOS/", "Chrome"}, {"Safari/", "Safari"}})
	}
	system := first([][2]string{
		{"Windows", "Windows"},
		{"(windows", "Windows"},
		{"Android", "Android"},
		{"iPhone", "iPhone"},
		{"iPad", "iPad"},
		{"Macintosh", "Mac"},
		{"(darwin", "Mac"},
		{"CrOS", "ChromeOS"},
		{"Linux", "Linux"},
		{"(linux", "Linux"},
	})
	if program == "" || system == "" {
		return program
	}
	return program + " on " + system
}
